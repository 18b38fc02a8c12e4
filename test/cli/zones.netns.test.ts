/** Link-local addresses: with their interface, their zone, they are bound, connected to, found, and told apart. */
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "vitest";
import { run } from "./helpers.ts";
import { endAll, lastack, startProgram } from "../support/cli.ts";
import { lacking, testNeeding } from "../support/needs.ts";
import { enterNamespace } from "../support/tcp.ts";
import { why } from "../diagnose/situation.ts";

const NEEDS = ["a network namespace", "ss"] as const;
const ip = (...words: string[]) => spawnSync("ip", words, { encoding: "utf8" });

/** Two interfaces with one and the same address: only the zone tells the two apart. */
let isThere = false;
beforeEach(() => {
  enterNamespace();
  isThere = ip("link", "add", "za", "type", "veth", "peer", "name", "zb").status === 0;
  for (const device of ["za", "zb"]) {
    ip("address", "add", "fe80::a/64", "dev", device, "nodad");
    ip("link", "set", device, "up");
  }
});
afterEach(async () => {
  await endAll();
  ip("link", "del", "za");
});

/** A test in which the interfaces are there. */
function zoneTest(name: string, body: () => unknown): void {
  testNeeding(NEEDS, name, (context) => (isThere ? body() : lacking(context, "veth")));
}

const indexOf = (device: string) => Number(/^(\d+):/.exec(ip("link", "show", device).stdout)![1]);
const listed = (...words: string[]) =>
  lastack(["ls", ...words, "--no-owner"])
    .stdout.split("\n")
    .slice(1, -1);

zoneTest("server and client speak over a link; ls shows both ends with it, and finds them by it", async () => {
  const server = startProgram("server", "[fe80::a%za]:3000", "--every", "1s");
  await server.says(/^bind \[fe80::a%za\]:3000 ok$/m);
  await server.says(/^listen/m);
  const client = startProgram(
    "client",
    "--address",
    `fe80::a%${indexOf("za")}`,
    "-p",
    "3000",
    "--from",
    "[fe80::a%za]:4000",
  );
  await client.says(/^connect \[fe80::a%za\]:3000 ok$/m);
  await server.says(new RegExp(`^accept \\[fe80::a%${indexOf("za")}\\]:4000$`, "m"));
  for (const words of [["fe80::a%za"], ["[fe80::a%za]"], ["fe80::%za/10"], ["3000", "fe80::a%za"]]) {
    expect(listed(...words).join("\n")).toMatch(/ \[fe80::a%za\]:3000 +\[::\]:\* +LISTEN /);
    expect(listed(...words)).toHaveLength(3);
  }
  expect(listed("[fe80::a%za]:4000")).toHaveLength(2);
  expect(listed("fe80::a%zb")).toEqual([]);
});

zoneTest("why and wait ask about the address on that link, and free frees it there", async () => {
  const server = startProgram("server", "[fe80::a%za]:3000");
  await server.says(/^listen/m);
  const taken = why("[fe80::a%za]:3000");
  expect(taken.headline).toMatch(/^\[fe80::a%za\]:3000 is taken: node .* listens on \[fe80::a%za\]:3000/);
  expect(taken.asks[0]).toMatchObject({ address: "fe80::a%za", errno: "EADDRINUSE", provedBy: "facts" });
  expect(why("[fe80::a%zb]:3000").answer).toBe("free");
  const wait = (...args: string[]) => lastack(["wait", ...args, "--timeout", "100ms"]).status;
  expect([wait("[fe80::a%za]:3000"), wait("[fe80::a%zb]:3000")]).toEqual([1, 0]);
  expect([wait("--open", "[fe80::a%za]:3000"), wait("--open", "[fe80::a%zb]:3000")]).toEqual([0, 1]);
  const other = startProgram("server", "[fe80::a%zb]:3000");
  await other.says(/^listen/m);
  const remedy = taken.findings[0]!.remedies[0]!.command!;
  expect(remedy.slice(-2)).toEqual(["free", "[fe80::a%za]:3000"]);
  expect(run([...remedy, "--yes"])).toMatchObject({ status: 0 });
  expect((await server.ended()).signal).toBe("SIGTERM");
  expect(why("[fe80::a%za]:3000").answer).toBe("free");
  expect(why("[fe80::a%zb]:3000").headline).toContain(`(pid ${other.pid}, root) listens on [fe80::a%zb]:3000`);
});

zoneTest("without a zone, with an interface that is not there, and with an address that is not there", () => {
  for (const program of ["server", "client"]) {
    const { stderr, status } = lastack([program, "[fe80::a]:3000"]);
    expect(stderr).toMatch(/\[fe80::a\]:3000 EINVAL \(22\): .*\n.*like \[fe80::1%eth0\]:3000; there are [\w, ]*za/);
    expect(status).toBe(1);
  }
  const { stderr, status } = lastack(["why", "[fe80::a%eth9]:3000"]);
  expect(stderr).toMatch(/there is no interface 'eth9'; there are [\w, ]*za/);
  expect(status).toBe(2);
  expect(why("[fe80::c%za]:3000").headline).toContain("fe80::c%za is not an address of this host");
});
