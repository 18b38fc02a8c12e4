/** The expectations of a run in a list, and whether they were met. */
import { STATES } from "../codec/state.ts";
import type { Trace } from "../trace/trace.ts";

export interface Expectation {
  /** As it is: not escaped. */
  text: string;
  met: boolean;
}

/** More than so many are told in short. */
const MANY = 8;

const STATE_NAMES: ReadonlySet<string> = new Set(STATES.map(({ rfc }) => rfc));

/** Of `client/1 is in LAST-ACK`, which comes of waiting, the socket and the state. */
function waitedFor({ text, met }: Expectation): [socket: string, state: string] | undefined {
  const [, socket, state] = /^(\S+) is in (\S+)$/.exec(text) ?? [];
  return met && socket !== undefined && state !== undefined && STATE_NAMES.has(state) ? [socket, state] : undefined;
}

/** The states that were waited for, and came, in one line a socket: `client/1 is in LAST-ACK, then CLOSED`. */
function inShort(expectations: readonly Expectation[]): Expectation[] {
  const ofSocket = new Map<string, Expectation>();
  return expectations.flatMap((expectation) => {
    const waited = waitedFor(expectation);
    if (!waited) return [expectation];
    const [socket, state] = waited;
    const before = ofSocket.get(socket);
    if (before) {
      before.text += `, then ${state}`;
      return [];
    }
    const first = { ...expectation };
    ofSocket.set(socket, first);
    return [first];
  });
}

/** In the order in which they were met, or not. */
export function expectationsOf({ events }: Pick<Trace, "events">): Expectation[] {
  const all = events.flatMap((event) =>
    event.kind === "note" && event.about === "expectation" ? [{ text: event.text, met: event.met ?? false }] : [],
  );
  return all.length > MANY ? inShort(all) : all;
}
