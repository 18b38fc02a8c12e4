/** A small known population of sockets, one or more in each state, in the calling thread's network namespace. */
import { decodeSockaddr } from "../../src/codec/sockaddr.ts";
import {
  accept,
  AF_INET,
  bind,
  connect,
  Fd,
  getsockname,
  SHUT_WR,
  shutdown,
  SOCK_STREAM,
  socket,
} from "../../src/sys/index.ts";
import { until } from "../support/until.ts";
import { addressOf, boundSocket, listener, listJson, type ListedSocket } from "./helpers.ts";

/** Which sockets there are: local endpoint, peer, state. */
export const POPULATION = {
  listen4: "127.0.0.1:8000 - LISTEN",
  listen6: "::1:8080 - LISTEN",
  listenDual: "*:9000 - LISTEN",
  bound: "127.0.0.1:7000 - BOUND",
  established: "127.0.0.1:8000 127.0.0.2:4001 ESTABLISHED",
  establishedClient: "127.0.0.2:4001 127.0.0.1:8000 ESTABLISHED",
  closeWait: "127.0.0.1:8000 127.0.0.3:4002 CLOSE-WAIT",
  finWait2: "127.0.0.3:4002 127.0.0.1:8000 FIN-WAIT-2",
  timeWait: "127.0.0.1:8000 127.0.0.4:4003 TIME-WAIT",
} as const;

export type Member = keyof typeof POPULATION;
export const ALL = Object.keys(POPULATION) as Member[];

/** A socket in the words of {@link POPULATION}. */
export function describe({ local, peer, state }: ListedSocket): string {
  return `${local.address}:${local.port} ${peer.port === 0 ? "-" : `${peer.address}:${peer.port}`} ${state}`;
}

/** A connection from FROM to the listener: both ends. */
function connection(listening: Fd, from: string, port: number): { server: Fd; client: Fd } {
  const client = socket(AF_INET, SOCK_STREAM, 0);
  bind(client, addressOf(from, port));
  const to = decodeSockaddr(getsockname(listening));
  if (!to.ok) throw new Error("getsockname gave no address");
  connect(client, addressOf("127.0.0.1", to.value.port));
  return { server: accept(listening).fd, client };
}

/** Makes the population. Returns what ends it. */
export async function makePopulation(): Promise<() => void> {
  const listen4 = listener("127.0.0.1", 8000, 8);
  const established = connection(listen4, "127.0.0.2", 4001);
  const halfClosed = connection(listen4, "127.0.0.3", 4002);
  shutdown(halfClosed.client, SHUT_WR);
  const ended = connection(listen4, "127.0.0.4", 4003);
  ended.server.close();
  ended.client.close();
  const fds = [
    listen4,
    listener("::1", 8080),
    listener("::", 9000),
    boundSocket("127.0.0.1", 7000),
    ...Object.values(established),
    ...Object.values(halfClosed),
  ];
  // TCP_BOUND_INACTIVE is listed since Linux 6.8: an older kernel leaves it out, and these tests do not apply.
  const wanted = Object.values<string>(POPULATION).sort().join("\n");
  await until("the population", () => listJson().sockets.map(describe).sort().join("\n") === wanted);
  return () => {
    for (const fd of fds) fd.close();
  };
}
