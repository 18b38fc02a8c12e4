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

/** Two hosts, and a connection from a process `client` on one to a process `server` on the other, port 8000. */
export function* connected(
  lab: Lab,
  options: { listen?: ListenOptions; connect?: ConnectOptions; mortal?: ("client" | "server")[] } = {},
): Story<Connected> {
  const { client, server } = yield* lab.hosts();
  const { listen, connect, mortal = [] } = options;
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
