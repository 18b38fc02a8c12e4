/** `lastack/register`: what a refused listen's error says, and that nothing else is different. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile, makeDirectory, removeDirectory, run } from "../cli/helpers.ts";
import { lastack } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { PRELOADS, REGISTER, reported, REPORT, runProgram, takenPort, type Reported } from "./program.ts";

const OFF = { env: { LASTACK: "off" } };

const SERVERS = {
  net: 'require("net").createServer()',
  http: 'require("http").createServer()',
  https: 'require("https").createServer()',
  http2: 'require("http2").createServer()',
  "http2 with TLS": 'require("http2").createSecureServer()',
  tls: 'require("tls").createServer()',
  "a subclass": '(class Mine extends require("http").Server {}, new (class Mine extends require("http").Server {})())',
};

const listen = (server: string, call = "listen(Number(process.argv[1]), process.argv[2])") =>
  `const server = ${server}; server.on("error", (error) => report(error, server)); server.${call};`;

/** The error with and without us: it may differ in its message, and in the message's copy in the stack. */
function expectOnlyMore(mine: Reported, plain: Reported, more: string): void {
  expect(mine.message).toBe(`${plain.message}${more}`);
  expect(mine.stack).toBe(plain.stack.replace(plain.message, () => mine.message));
  expect(mine.properties).toEqual(plain.properties);
  expect(mine.listeners).toBe(1);
  expect(plain).toMatchObject({ hasLastack: false, loaded: ["register"] });
}

for (const [name, server] of Object.entries(SERVERS)) {
  test(`the error of ${name} says who has the port, and is otherwise Node's own`, async () => {
    const port = await takenPort();
    const source = listen(server);
    const mine = reported(source, [port, "127.0.0.1"]);
    expectOnlyMore(
      mine,
      reported(source, [port, "127.0.0.1"], OFF),
      `: node (pid ${process.pid}) listens on 127.0.0.1:${port}`,
    );
    expect(mine.hasLastack).toBe(true);
  });
}

for (const [name, preload] of Object.entries({
  "--require": ["--require", REGISTER],
  "--import": ["--import", PRELOADS["--import"]],
  both: Object.entries(PRELOADS).flat(),
})) {
  test(`${name}: an uncaught error still ends the program, and its output has the message`, async () => {
    const port = await takenPort();
    const { status, stderr } = runProgram('require("http").createServer().listen(Number(process.argv[1]))', [port], {
      preload,
    });
    expect(status).toBe(1);
    const message = `listen EADDRINUSE: address already in use :::${port}: node (pid ${process.pid}) listens on 127.0.0.1:${port}`;
    expect(stderr).toContain(`\nError: ${message}\n    at `);
    expect(stderr).toContain("Unhandled 'error' event");
    expect(stderr.split(message)).toHaveLength(2);
    expect(stderr).not.toContain("lastack");
  });
}

test("a module's await of the error", async () => {
  const port = await takenPort();
  const source = `
    import { createServer } from "node:http";
    import { once } from "node:events";
    await once(createServer().listen(Number(process.argv[1]), "localhost"), "listening").catch(({ message }) => console.log(message));
  `;
  const how = { preload: ["--import", PRELOADS["--import"], "--input-type=module"] };
  expect(runProgram(source, [port], how).stdout).toMatch(/: node \(pid \d+\) listens on 127\.0\.0\.1:\d+\n$/);
});

test("error.lastack is what lastack why says, read from the kernel only when it is asked for", async () => {
  const port = await takenPort();
  const { lastack: explanation, loaded, loadedAfter } = reported(listen(SERVERS.net), [port, "127.0.0.1"]);
  expect(loaded).toEqual(["register", "listen-error", "ffi"]);
  expect(loadedAfter).toEqual(["register", "listen-error", "ffi", "explain-listen"]);
  expect(explanation).toMatchObject({
    answer: "blocked",
    asks: [{ address: "127.0.0.1", port, reuseAddress: true, reusePort: false, outcome: "refused" }],
  });
  const { stdout } = lastack(["why", `127.0.0.1:${port}`, "--json"]);
  const [why] = (JSON.parse(stdout) as { ports: Record<string, unknown>[] }).ports;
  expect(Object.keys(explanation!)).toEqual(Object.keys(why!));
  expect(explanation!.processes).toEqual(why!["processes"]);
});

test("nothing but the preload is read while listen succeeds, and no native code", () => {
  const source = `
    const { dlopen } = process;
    process.dlopen = (...args) => (console.log("dlopen", args[1]), dlopen.apply(process, args));
    const server = require("http").createServer().listen(0, () => { console.log(...loadedNow()); server.close(); });
  `;
  expect(runProgram(`${REPORT}${source}`, []).stdout).toBe("register\n");
});

test("a listen of a program that has the port itself is told so", () => {
  const source = `
    const first = require("net").createServer().listen(0, () => {
      const { port } = first.address();
      const server = require("net").createServer();
      server.on("error", (error) => { report(error, server); first.close(); }).listen(port);
    });
  `;
  expect(reported(source, []).message).toMatch(/: this very process \(pid \d+\) listens on \*:\d+$/);
});

test("an address that the host does not have", () => {
  for (const [port, address] of [
    [8123, "198.51.100.1"],
    [0, "198.51.100.1"],
    [8123, "2001:db8::1"],
  ] as const) {
    const mine = reported(listen(SERVERS.http), [port, address]);
    expectOnlyMore(
      mine,
      reported(listen(SERVERS.http), [port, address], OFF),
      address.includes(":")
        ? ": this host does not have that address, or does not use it yet (duplicate address detection)"
        : ": this host does not have that address",
    );
    expect(mine.lastack!.headline).toContain(`${address} is not an address of this host`);
  }
});

testNeeding(["a second uid"], "a port that takes a privilege, and a holder who may not be looked into", async () => {
  const how = { uid: 65534 };
  const privileged = reported(listen(SERVERS.http), [80, "127.0.0.1"], how);
  expect(privileged.message).toMatch(/^listen EACCES: .*: ports below 1024 take the capability CAP_NET_BIND_SERVICE$/);
  expect(privileged.lastack!.headline).toContain("CAP_NET_BIND_SERVICE");
  const port = await takenPort();
  const { message } = reported(listen(SERVERS.http), [port, "127.0.0.1"], how);
  expect(message).toMatch(new RegExp(`: a process of root listens on 127\\.0\\.0\\.1:${port}$`));
});

testNeeding(["a C compiler"], "a port that a policy forbids", (context) => {
  const directory = makeDirectory();
  try {
    const sandbox = compile("sandbox", join(directory, "sandbox"));
    const [program, ...args] = [process.execPath, "--require", REGISTER, "--eval", `${REPORT}${listen(SERVERS.http)}`];
    const { stdout, stderr, status } = run([sandbox, program!, ...args, "--", "5011", "127.0.0.1"]);
    if (status === 77) return lacking(context, "Landlock with rules for the network");
    expect(stderr).toBe("");
    const { message, lastack: explanation } = JSON.parse(stdout) as Reported;
    expect(message).toBe(
      "listen EACCES: permission denied 127.0.0.1:5011: no privilege is missing, a policy forbids it",
    );
    expect(explanation).toMatchObject({ answer: "blocked", findings: [{ cause: "policy" }] });
  } finally {
    removeDirectory(directory);
  }
});

test("what the listen asked for beside the address is what is looked at", async () => {
  const port = await takenPort("::1");
  for (const [options, expected] of [
    ["{ port, host: '::', ipv6Only: true }", { address: "::", ipv6Only: true, reusePort: false }],
    ["{ port, host: '::' }", { address: "::", ipv6Only: false, reusePort: false }],
  ] as const) {
    const source = `const port = Number(process.argv[1]); ${listen(SERVERS.net, `listen(${options})`)}`;
    expect(reported(source, [port]).lastack!.asks).toMatchObject([expected]);
  }
});

test("pipes, UDP and descriptors are left alone", async () => {
  const directory = makeDirectory();
  try {
    const port = await takenPort();
    const pipe = `{ path: ${JSON.stringify(join(directory, "pipe"))} }`;
    const twice = `
      const first = require("net").createServer().listen(${pipe}, () => {
        const server = require("net").createServer();
        server.on("error", (error) => { report(error, server); first.close(); }).listen(${pipe});
      });
    `;
    const udp = `
      const first = require("dgram").createSocket("udp4").bind(0, () => {
        const server = require("dgram").createSocket("udp4");
        server.on("error", (error) => { report(error, server); first.close(); server.close(); }).bind(first.address().port);
      });
    `;
    const nowhere = listen(SERVERS.net, 'listen("/nowhere/at/all")');
    for (const source of [twice, udp, nowhere]) {
      const mine = reported(source, [port]);
      expect(mine.hasLastack).toBe(false);
      if (source !== udp) expectOnlyMore(mine, reported(source, [port], OFF), "");
    }
  } finally {
    removeDirectory(directory);
  }
});
