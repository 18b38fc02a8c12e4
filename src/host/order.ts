/** The order of a host's sockets where one comes before another: it must not depend on which was made first. */
import type { Host, HostSocket } from "./host.ts";

/**
 * The ids of all sockets with their places: as processes have them by descriptors, as they wait in queues, by their ends. Two
 * hosts that are the same but for what is past have them in the same order.
 */
export function order(host: Host): Map<string, number> {
  const numbers = new Map<string, number>();
  const add = (id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
  };
  for (const { descriptors } of host.processes.values()) {
    for (const [, id] of [...descriptors].sort(([a], [b]) => a - b)) add(id);
  }
  for (const id of numbers.keys()) for (const waiting of host.ports.sockets.get(id)?.queue ?? []) add(waiting);
  if (numbers.size < host.sockets.size) {
    const ends = ({ local, peer }: HostSocket) => `${local.address} ${local.port} ${peer.address} ${peer.port}`;
    const rest = [...host.sockets.values()].filter(({ id }) => !numbers.has(id));
    if (rest.length > 1) rest.sort((a, b) => (ends(a) < ends(b) ? -1 : 1));
    for (const { id } of rest) add(id);
  }
  return numbers;
}
