/** The tutorial's story, told by its two programs on real sockets. */
import { stateMask } from "../codec/state.ts";
import { enterNewNetworkNamespace } from "../linux/namespace.ts";
import { readSockets } from "../linux/sockets.ts";
import { Actor, until } from "./actor.ts";
import { EXIT } from "./exit-status.ts";
import { endWithFirstRun, runInUserNamespace, SECOND_RUN } from "./isolation.ts";
import { holdersOf, listSockets } from "./listing.ts";
import { parseOptions } from "./options.ts";
import { writeOut } from "./output.ts";

export const help = `lastack demo: restart a server, and see bind fail; then see SO_REUSEADDR mend it

Usage: lastack demo

Runs 'lastack server' and 'lastack client' for real: the server is stopped while the client is connected, and started
again at once. In a network namespace of its own, as root or not; where this system grants none, on loopback and a free
port. Takes a second or two. Exit status 0 if the kernel did as the story says, 1 if not.

Examples
  lastack demo
  lastack lab run restart   the same with every packet and state shown
`;

const PORT = 8000;

/** A port that nothing uses now. */
async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A port for one act, in a new network namespace if `isolated`. */
async function stage(isolated: boolean): Promise<number> {
  if (!isolated) return freePort();
  enterNewNetworkNamespace();
  return PORT;
}

function say(line = ""): void {
  writeOut(`${line}\n`);
}

/** One act: server, client, restart. Returns what bind answered the second server: 0, or an errno's name. */
async function act(port: number, flags: string[]): Promise<string> {
  const server = new Actor("server", [String(port), ...flags]);
  await server.says(/^listen .* ok/);
  const client = new Actor("client", [String(port)]);
  await client.says(/^server said: /);
  say("  (the server is stopped with Ctrl-C)");
  await server.end("SIGINT");
  await client.ended();
  const timeWait = { states: stateMask("TIME-WAIT"), filter: { kind: "port", side: "local", port } } as const;
  await until("a connection in TIME-WAIT", () => readSockets(timeWait).slabs.some(({ length }) => length > 0));
  if (flags.length > 0) {
    say(`  $ lastack ls ${port}`);
    const table = readSockets({ filter: { kind: "port", side: "local", port } });
    listSockets(table, { search: holdersOf(table) }, (text) =>
      writeOut(
        Buffer.from(text)
          .toString()
          .replace(/^(?=.)/gm, "  "),
      ),
    );
  }
  say("  (the server is started again at once)");
  const second = new Actor("server", [String(port), ...flags]);
  const outcome = await second.says(/^listen .* ok|^bind \S+ ([A-Z]+) \(\d+\)/);
  if (outcome[1] === undefined) await second.end("SIGINT");
  else await second.ended();
  return outcome[1] ?? "ok";
}

async function story(isolated: boolean): Promise<number> {
  say("1. Without SO_REUSEADDR");
  const plain = await act(await stage(isolated), []);
  say();
  say("2. With SO_REUSEADDR, set by both: the server that was stopped, and the one that is started");
  const reuse = await act(await stage(isolated), ["--reuse-address"]);
  say();
  say(`Without SO_REUSEADDR bind answered ${plain}, with it ${reuse}.`);
  const asTold = plain === "EADDRINUSE" && reuse === "ok";
  say(
    asTold
      ? "The connection in TIME-WAIT, which no process holds any more, kept the port for 60 seconds."
      : "That is not what the story says: EADDRINUSE without it, ok with it.",
  );
  return asTold ? EXIT.ok : EXIT.no;
}

export async function run(args: string[]): Promise<number> {
  endWithFirstRun(parseOptions({ args, options: SECOND_RUN }).values);
  const isolated = enterNewNetworkNamespace();
  const status = isolated ? undefined : runInUserNamespace();
  if (status !== undefined) return status;
  say(
    isolated
      ? "A server is restarted, in a network namespace of its own: nothing else on this host is touched.\n"
      : "A server is restarted, on loopback and a free port (this system grants no network namespace to this user).\n",
  );
  try {
    return await story(isolated);
  } finally {
    Actor.endAll();
  }
}
