/** What is said of a refused listen: by whom, how long it is held to be true, and how much work it may be. */
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { tellWhy } from "../../src/node/listen-error.ts";
import { glance } from "../../src/remedy/glance.ts";
import { parseIp } from "../../src/codec/address.ts";
import { boundSocket, compile, listener, makeDirectory, removeDirectory } from "../cli/helpers.ts";
import { endAll, Running } from "../support/cli.ts";
import { testNeeding } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { takenPort } from "./program.ts";

let directory: string;
beforeAll(() => (directory = makeDirectory()));
afterEach(endAll);
afterAll(() => removeDirectory(directory));

const request = (port: number, address = "127.0.0.1") => ({
  address: parseIp(address)!,
  port,
  reuseAddress: true,
  reusePort: false,
  ipv6Only: false,
  uid: process.geteuid!(),
});
const always = () => true;

/** The message of an error as Node makes them. */
function told(port: number, address = "127.0.0.1"): string {
  const error = Object.assign(new Error("listen EADDRINUSE"), { code: "EADDRINUSE", address, port });
  tellWhy(error, undefined);
  expect(error.stack).toContain(`Error: ${error.message}\n`);
  return error.message;
}

/** The message when somebody is found: on a busy machine the time for the search may run out. */
function toldInTheEnd(port: number, address?: string): Promise<string> {
  return until("somebody to be found", () =>
    [told(port, address)].find((message) => !message.includes(": a process of ")),
  );
}

/** A listener that this test closes itself. */
async function listening(): Promise<{ port: number; close(): Promise<unknown> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(resolve)) };
}

test("the answer holds for a second", async () => {
  const { port, close } = await listening();
  const first = await toldInTheEnd(port);
  expect(first).toBe(`listen EADDRINUSE: this very process (pid ${process.pid}) listens on 127.0.0.1:${port}`);
  await close();
  expect(told(port)).toBe(first);
  await until("the look to be made again", () => told(port) === "listen EADDRINUSE");
});

test("a search that may not go on names nobody, and says whose socket it is", async () => {
  const port = await takenPort();
  const seen = glance(request(port), () => false);
  expect(seen).toMatchObject({ socket: { state: "LISTEN", uid: process.geteuid!() } });
  expect(seen).not.toHaveProperty("holder");
  expect(glance(request(port), always)).toMatchObject({ holder: { pid: process.pid, program: "node" } });
});

test("of several sockets on the port the one is told that is in the way", async () => {
  const port = await takenPort();
  using same = listener("127.0.0.3", port);
  void same;
  expect(glance(request(port), always)!.socket.local.address).toBe("127.0.0.1");
  expect(glance(request(port, "127.0.0.3"), always)!.socket.local.address).toBe("127.0.0.3");
  expect(glance(request(port, "127.0.0.9"), always)).toBeUndefined();
  for (const wildcard of ["0.0.0.0", "::"]) {
    expect(glance(request(port, wildcard), always)!.socket.local.address, wildcard).toMatch(/^127\.0\.0\.[13]$/);
  }
});

test("a socket that is only bound", async () => {
  const port = await takenPort();
  using bound = boundSocket("127.0.0.4", port);
  void bound;
  expect(await toldInTheEnd(port, "127.0.0.4")).toMatch(/: this very process \(pid \d+\) has bound 127\.0\.0\.4:\d+$/);
});

testNeeding(["a C compiler"], "a program's name does no harm on a terminal", async () => {
  const { port, close } = await listening();
  await close();
  const program = new Running([compile("listener", join(directory, "\u001b[31mred\u202e")), String(port)]);
  await program.says(/listens/);
  expect(await toldInTheEnd(port)).toBe(
    `listen EADDRINUSE: \\x1b[31mred\\u202e (pid ${program.pid}) listens on 127.0.0.1:${port}`,
  );
});
