/** Command lines that cannot be understood: one line that says what was wrong, and status 2. Nothing is asked of the kernel. */
import { truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lastack } from "../support/cli.ts";
import { linesOf, makeDirectory, removeDirectory } from "./helpers.ts";

/** A command line, and what the message must hold: the word that was wrong, and what would be right. */
const BAD: readonly (readonly [line: string, ...parts: string[]])[] = [
  ["ls 0", "port 0 does not exist", "1 to 65535"],
  ["ls 65536", "port 65536 does not exist", "1 to 65535"],
  ["ls :65536", "port 65536 does not exist"],
  ["ls 80x", "'80x' is not a port"],
  ["ls port -- -1", "'-1' is not a port"],
  ["ls port ''", "'' is not a port", "1 to 65535"],
  ["ls port", "'port' needs a value"],
  ["ls ''", "an empty word"],
  ["ls localhst:80", "'localhst:80': no address stands before the port", "program localhst:80"],
  ["ls state x", "'x' is not a TCP state. The states are"],
  ["ls 127.0.0.1:0", "port 0 does not exist"],
  ["ls 127.0.0.1:http", "'http' is not a port"],
  ["server 0", "port 0 does not exist", "1 to 65535"],
  ["server 65536", "port 65536 does not exist"],
  ["server 80x", "'80x' is not a port"],
  ["server ''", "'' is not a port", "1 to 65535"],
  ["server --port=-1", "'-1' is not a port"],
  ["client --port ''", "'' is not a port", "1 to 65535"],
  ["client 127.0.0.1:65536", "port 65536 does not exist"],

  ["ls time-wat", "'time-wat' is not a TCP state", "time-wait?", "program time-wat"],
  ["ls fin_wiat_2", "'fin_wiat_2' is not a TCP state", "fin-wait-2?"],
  ["ls state nonsense", "'nonsense' is not a TCP state", "established, ", ", close-wait, "],
  ["ls state", "'state' needs a value"],
  ["ls pid", "'pid' needs a value"],
  ["ls pid node", "pid node", "whole number"],
  ["ls pid 0", "pid 0", "from 1"],
  ["ls user nobody-of-this-name", "there is no user 'nobody-of-this-name'", "/etc/passwd"],
  ["ls 10.0.0.0/33", "10.0.0.0/33", "from 0 to 32"],
  ["ls ::/129", "::/129", "from 0 to 128"],
  ["ls 10.0.0.0/x", "10.0.0.0/x", "from 0 to 32"],
  ["ls 300.0.0.1", "300.0.0.1"],
  ["ls fe80::1%eth9", "'fe80::1%eth9': there is no interface 'eth9'; there are lo"],
  ["ls [fe80::1%]:80", "there is no interface ''; there are lo"],
  ["ls address example.org", "'example.org' is not an IP address"],
  ["ls --by nonsense", "--by nonsense", "state, program, port, peer"],
  ["ls --json --json-lines", "--json and --json-lines"],
  ["ls --by port --json-lines", "--json-lines is a line for each socket", "--json"],
  ["ls --no-owner program node", "--no-owner", "process"],
  ["ls --no-owner pid 1", "--no-owner", "process"],
  ["ls --no-owner --by program", "--no-owner", "process"],
  ["ls --nonsense", "--nonsense"],

  ["nonsense", "no command 'nonsense'", "lastack --help"],
  ["8000x", "'8000x' is not a port"],
  ["why --reuse-address", "which port?"],
  ["why 80 --for 2s", "--for", "whole host"],
  ["why --for soon", "--for soon"],
  ["why 0", "port 0 does not exist"],
  ["why ::1:80", "'::1:80'", "in brackets"],
  ["why 80 --ipv6-only --address 127.0.0.1", "--ipv6-only", "no IPv6 address"],
  ["why 127.0.0.1:80 --address ::1", "the address is given twice"],
  ["reuse 127.0.0.1:80", "all sockets of a port are set: lastack reuse 80"],
  ["free 80 --if=", "--if takes the name of a program"],
  ["why 80 --user nobody-of-this-name", "there is no user", "/etc/passwd"],
  ["--nonsense", "'--nonsense'"],
  ["demo 8000", "8000"],
  ["help nonsense", "no command 'nonsense'", "lastack --help"],
  ["help constructor", "no command 'constructor'"],

  ["server --nonsense", "--nonsense"],
  ["server 8000 8001", "'8001'", "only one"],
  ["server 8000 --port 8001", "the port is given twice"],
  ["server 127.0.0.1:8000 --address ::1", "the address is given twice"],
  ["server ::1:80", "'::1:80'", "in brackets", "[::1]:"],
  ["server localhst:80", "'localhst' is not an IP address"],
  ["server --address example.org", "'example.org' is not an IP address"],
  ["why [fe80::1%an-interface-of-no-such-name]:80", "there is no interface 'an-interface-of-no-such-name'"],
  ["why fe80::1%lo:80", "'fe80::1%lo:80'", "in brackets"],
  ["server [::1%lo]:80", "'::1%lo': only link-local addresses (fe80::…) have a zone"],
  ["server --ipv6-only", "--ipv6-only", "IPv6 address"],
  ["server --ipv6-only 127.0.0.1:80", "--ipv6-only", "IPv6 address"],
  ["server --message 'twenty bytes of text'", "--message: 20 bytes", "at most 19"],
  ["server --linger=-1", "--linger -1", "from 0 to 32767"],
  ["server --linger 32768", "--linger 32768", "from 0 to 32767"],
  ["server --linger", "--linger"],
  ["server --backlog many", "--backlog many", "whole number"],
  ["server --replies=-1", "--replies -1", "whole number"],
  ["server --every soon", "--every soon", "500ms"],
  ["server --every 25h", "--every 25h"],
  ["server --every 90000s", "--every 90000s", "at most a day"],
  ["server --reuse-address=yes", "--reuse-address"],

  ["client --nonsense", "--nonsense"],
  ["client --sleep=-1s", "--sleep -1s", "500ms"],
  ["client --from 127.0.0.1", "'127.0.0.1': the port is missing, as in 127.0.0.1:3000"],
  ["why [::1]", "'[::1]': the port is missing, as in [::1]:3000"],
  ["why 80 --user 4294967295", "there is no user '4294967295'"],
  ["client --from [::1]:4000", "--from [::1]:4000", "other family"],
  ["client [::1]:80 --from 127.0.0.1:4000", "--from 127.0.0.1:4000", "other family"],
  ["client ::1:80", "'::1:80'", "in brackets"],
];

/** Words as a shell splits them; quotes are single ones. */
function split(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

test.each(BAD)("lastack %s", (line, ...parts) => {
  const { stdout, stderr, status } = lastack(split(line));
  for (const part of parts) expect(stderr).toContain(part);
  const [message, hint, ...more] = linesOf(stderr);
  expect(message).toMatch(/^lastack( why| free| reuse| ls| server| client| demo)?: \S/);
  expect(hint).toMatch(/^Try 'lastack( why| free| reuse| ls| server| client| demo)? --help'\.$/);
  expect(more).toEqual([]);
  expect(stderr).not.toContain("\u001b");
  expect([stdout, status]).toEqual(["", 2]);
});

test.each(["view", "predict"])(
  "lastack %s of a file that can't be read: what the system said, and whence such a file comes",
  (command) => {
    const missing = lastack([command, "/nonexistent.json"]);
    expect(missing.stderr).toMatch(
      /^lastack \w+: \/nonexistent\.json can't be read: ENOENT \(2\): no such file .*; 'lastack /,
    );
    expect([missing.stdout, missing.status]).toEqual(["", 1]);
    expect(lastack([command, "/"]).stderr).toContain("EISDIR (21)");
    expect(lastack([command, ""]).stderr).toContain("the file has no name");
  },
);

test("a file that no text can hold is told as such", () => {
  const directory = makeDirectory();
  try {
    const file = `${directory}/big.json`;
    writeFileSync(file, "");
    truncateSync(file, 2 ** 29); // all holes
    const { stderr, status } = lastack(["view", file]);
    expect(stderr).toMatch(/big\.json can't be read: EFBIG \(27\): file too large; 'lastack /);
    expect(status).toBe(1);
  } finally {
    removeDirectory(directory);
  }
});

test("lastack alone shows the help on standard error, with status 2", () => {
  const { stdout, stderr, status } = lastack([]);
  expect(stderr).toBe(lastack(["--help"]).stdout);
  expect([stdout, status]).toEqual(["", 2]);
});

test("help of every command goes to standard output, with status 0", () => {
  for (const command of [
    "why",
    "free",
    "wait",
    "reuse",
    "ls",
    "server",
    "client",
    "demo",
    "lab",
    "view",
    "predict",
    "prove",
  ]) {
    const asOption = lastack([command, "--help"]);
    expect(asOption.stdout).toMatch(new RegExp(`^lastack ${command}: .*\\n\\nUsage: lastack ${command}`));
    expect([asOption.stderr, asOption.status]).toEqual(["", 0]);
    expect(lastack(["help", command])).toEqual(asOption);
    expect(lastack([command, "-h"])).toEqual(asOption);
  }
});
