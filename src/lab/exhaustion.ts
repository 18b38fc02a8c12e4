/** A client that runs out of ports. */
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { PORT } from "./openings.ts";
import type { Process, Socket } from "./process.ts";
import type { Story } from "./story.ts";

const FIRST_PORT = 40_000;

export interface FewPorts {
  client: Process;
  clientHost: Host;
  server: Host;
  /** At `PORT` and at `PORT + 1`. */
  listeners: [Socket, Socket];
}

/** A client whose kernel may choose among so many ports only, and a server with two addresses that listens at two ports. */
export function* fewPorts(lab: Lab, count: number): Story<FewPorts> {
  const { client, server } = yield* lab.hosts({ server: { addresses: 2 } });
  yield* client.set("net.ipv4.ip_local_port_range", `${FIRST_PORT} ${FIRST_PORT + count - 1}`);
  const serving = yield* server.process("server");
  const listeners: [Socket, Socket] = [yield* serving.listen(PORT), yield* serving.listen(PORT + 1)];
  return { client: yield* client.process("client"), clientHost: client, server, listeners };
}

/** A connection to `PORT` that the client closes first: one of its ports rests in TIME-WAIT. */
export function* useUpPort(client: Process, server: Host, listener: Socket): Story<Socket> {
  const socket = yield* client.connect(server, listener.port);
  const connection = yield* listener.accept();
  yield* socket.close();
  yield* connection.close();
  yield* socket.reaches("TIME-WAIT");
  yield* connection.reaches("CLOSED");
  return socket;
}
