/**
 * Makes TCP sockets in the network namespace it is started in, says `ready`, and holds them until its standard input
 * ends. `holder.ts KIND PORT COUNT`: one listener on PORT, the rest of COUNT being, by KIND,
 *
 * - `held`: both ends of connections, half of them ESTABLISHED, half CLOSE-WAIT and FIN-WAIT-2; descriptors held here;
 * - `time-wait`: connections closed by both ends: no process has them, and they last for 60 seconds.
 */
import { readSync, writeSync } from "node:fs";
import { encodeSockaddr } from "../../src/codec/sockaddr.ts";
import {
  accept,
  AF_INET,
  bind,
  connect,
  Fd,
  listen,
  shutdown,
  SHUT_WR,
  SOCK_STREAM,
  socket,
} from "../../src/sys/index.ts";

const [kind, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

const listener = socket(AF_INET, SOCK_STREAM, 0);
bind(listener, encodeSockaddr({ address: LOOPBACK, port }));
listen(listener, 4096);
const held: Fd[] = [];
const connections = kind === "held" ? (count - 1) >> 1 : count - 1;
for (let i = 0; i < connections; i++) {
  const client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, encodeSockaddr({ address: LOOPBACK, port }));
  const server = accept(listener).fd;
  if (kind === "held") {
    if (i % 2 === 1) shutdown(client, SHUT_WR);
    held.push(client, server);
  } else {
    client.close();
    server.close();
  }
}
writeSync(1, "ready\n");
readSync(0, new Uint8Array(1));
