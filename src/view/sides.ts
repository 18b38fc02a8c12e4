/** Which hosts a ladder stands between. */
import type { Trace } from "../trace/trace.ts";

export interface LifeLines {
  left: string;
  right: string;
}

/** The names of the two hosts that have a life line: those that the first segment runs between, in the trace's order. */
export function lifeLines({ hosts, events }: Pick<Trace, "hosts" | "events">): LifeLines {
  const names = hosts.map(({ name }) => name);
  const ends = events
    .slice(0, 1 + events.findIndex((event) => event.kind === "segment" && event.packet !== undefined))
    .flatMap((event) => (event.kind === "segment" && event.packet ? [event.packet.from, event.packet.to] : []));
  const [left = "", right = ""] = [
    ...names.filter((name) => ends.includes(name)),
    ...ends.filter((name) => !names.includes(name)),
    ...names.filter((name) => !ends.includes(name)),
  ];
  return { left, right };
}
