/** How most stories begin. */
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import type { ConnectOptions, ListenOptions, Process, Socket } from "./process.ts";
import type { Story } from "./story.ts";

export interface Connected {
  client: { host: Host; process: Process; socket: Socket };
  /** `connection` is what `accept` gave. */
  server: { host: Host; process: Process; listener: Socket; connection: Socket };
}

export const PORT = 8000;

export interface Opening {
  listen?: ListenOptions;
  connect?: ConnectOptions;
  mortal?: ("client" | "server")[];
  /** Kernel parameters of both hosts, set before anything else. */
  set?: Readonly<Record<string, string | number>>;
}

/** Two hosts, and a connection from a process `client` on one to a process `server` on the other, port 8000. */
export function* connected(lab: Lab, options: Opening = {}): Story<Connected> {
  const { client, server } = yield* lab.hosts();
  const { listen, connect, mortal = [], set = {} } = options;
  for (const host of [client, server]) {
    for (const [parameter, value] of Object.entries(set)) yield* host.set(parameter, value);
  }
  const serving = yield* server.process("server", { mortal: mortal.includes("server") });
  const listener = yield* serving.listen(PORT, listen);
  const asking = yield* client.process("client", { mortal: mortal.includes("client") });
  const socket = yield* asking.connect(server, PORT, connect);
  const connection = yield* listener.accept();
  return {
    client: { host: client, process: asking, socket },
    server: { host: server, process: serving, listener, connection },
  };
}

/** A connection that the server closes first, then the client: the server's end rests in TIME-WAIT. */
export function* closedByServer(lab: Lab, options: Opening = {}): Story<Connected> {
  const made = yield* connected(lab, options);
  yield* made.server.connection.close();
  yield* made.client.socket.close();
  yield* made.server.connection.reaches("TIME-WAIT");
  yield* made.client.socket.reaches("CLOSED");
  return made;
}
