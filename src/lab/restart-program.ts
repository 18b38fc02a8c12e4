/** The article's story with any server: does it survive a restart? */
import type { KnownSocket } from "../trace/recorder.ts";
import { doesNotHold, holds, type Experiment } from "./experiment.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import type { Process, Socket } from "./process.ts";
import type { Program } from "./program.ts";
import { Unmet, type Story } from "./story.ts";
import type { Ending } from "./world.ts";

/** How long a server may take to start, and to stop, milliseconds. */
const START_MS = 15_000;
const STOP_MS = 5_000;
/** How long it may take to accept a connection; some never do. */
const ACCEPT_MS = 5_000;

function describeEnding({ status, signal }: Ending): string {
  return signal === null ? `ended with exit status ${status}` : `was ended by ${signal}`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Starts it and waits for a listener of its own. undefined: it ended, or does not listen in time. */
function* start(host: Host, name: string, command: string, port?: number): Story<[Program, KnownSocket | undefined]> {
  const before = new Set(host.sockets.map(({ id }) => id));
  const find = () =>
    host.sockets.find(
      ({ id, state, local }) => state === "LISTEN" && !before.has(id) && (port === undefined || local.port === port),
    );
  const program = yield* host.program(name, command);
  yield* program.watch(() => find() !== undefined, START_MS);
  return [program, find()];
}

/** A client where the listener can be reached: on the other host, or on its own if it listens on loopback only. */
function* connectTo(lab: Lab, listener: KnownSocket, server: Host, client: Host): Story<[Process, Socket]> {
  const { address, port } = listener.local;
  if (isLoopback(address)) {
    lab.say("It listens on loopback only: the client runs on the same host, and no segment passes the wire");
    const process = yield* server.process("client");
    return [process, yield* process.connect(server, port, { to: address })];
  }
  const process = yield* client.process("client");
  for (const to of server.addresses) {
    const attempt = yield* process.tryConnect(server, port, { to });
    if (attempt.code === "ok") return [process, attempt.socket];
  }
  throw new Unmet(`no connection to port ${port} comes about`);
}

/** The lines of a program's output that say what is wrong; without any such, the last ones. */
function lastWords(output: readonly string[]): readonly string[] {
  const lines = output.filter((line) => line.trim() !== "");
  const complaints = lines.filter((line) => /EADDR|address already in use|errno|error/i.test(line));
  return complaints.length > 0 ? complaints.slice(0, 2) : lines.slice(-3);
}

/** Why a server is not there: how it ended, and its last words. */
function* complaint(program: Program): Story<string> {
  const ending = yield* program.watch(() => true, 0);
  const words = lastWords(program.output);
  const fate = ending ? describeEnding(ending) : "runs, but does not listen";
  return words.length > 0 ? `${fate}; it says: ${words.join(" / ")}` : fate;
}

/** Asks it to end as Ctrl-C does; ends it where it does not. */
function* stop(lab: Lab, server: Program): Story {
  yield* server.signal("SIGINT");
  if (yield* server.watch(() => false, STOP_MS)) return;
  lab.say("It does not end: it is killed");
  yield* server.signal("SIGKILL");
  yield* server.watch(() => false, STOP_MS);
}

export function restartOf(command: string): Experiment {
  return {
    id: "restart",
    title: "A server of yours is stopped while a client is connected, and started again at once",
    claims: [],
    article: "A server that is started again at once can't bind its port, unless it sets SO_REUSEADDR before bind.",
    *story(lab) {
      const { client, server } = yield* lab.hosts();
      const [first, listener] = yield* start(server, "server", command);
      if (!listener) throw new Unmet(`the server ${yield* complaint(first)}`);
      const { port } = listener.local;
      const [, socket] = yield* connectTo(lab, listener, server, client);
      // One that is not accepted would be reset, and leave nothing behind.
      yield* first.watch(() => server.sockets.some((its) => its.peer.port === socket.port && its.owned), ACCEPT_MS);
      lab.say("The server is stopped with Ctrl-C while the client is connected");
      yield* stop(lab, first);
      yield* socket.close();
      yield* lab.until(
        "the client's connection is closed",
        () => socket.state === "CLOSED" || socket.state === "TIME-WAIT",
      );
      const left = server.sockets.filter(({ local }) => local.port === port);
      lab.say("It is started again at once");
      const [second, again] = yield* start(server, "server again", command, port);
      const what = left.length > 0 ? `a socket in ${left.map(({ state }) => state).join(", ")}` : "nothing";
      if (!again)
        return doesNotHold(
          `It does not survive a restart: ${what} was left on port ${port}, and the server ${yield* complaint(second)}.`,
        );
      return holds(`It survives a restart: ${what} was left on port ${port}, and the server listens there again.`);
    },
  };
}
