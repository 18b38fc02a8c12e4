/** The words after `ls`: `8000`, `time-wait`, `127.0.0.1`, `node`, `pid 4242`. */
import { parseIp, type ZonedAddress } from "../codec/address.ts";
import type { Filter, Side } from "../codec/inet-diag-filter.ts";
import { normalStateNames, parseState, stateMask, STATES } from "../codec/state.ts";
import { userId } from "../linux/users.ts";
import { UsageError } from "./exit-status.ts";
import { parseAddress, parseEndpoint, parseInteger, parsePort } from "./values.ts";

/** Words of one kind are alternatives; words of different kinds must all hold. */
export interface What {
  filter?: Filter;
  /** Bit mask; undefined: no state was named. */
  states?: number;
  pids: Set<number>;
  programs: Set<string>;
  uids: Set<number>;
}

const MAX_PID = 4_194_304; // PID_MAX_LIMIT, include/linux/threads.h

function eitherSide(condition: (side: Side) => Filter): Filter {
  return { kind: "any", of: [condition("local"), condition("peer")] };
}

function portFilter(port: number): Filter {
  return eitherSide((side) => ({ kind: "port", side, port }));
}

/** A link-local address with its zone is one of sockets that are bound to that interface. */
function zonedFilter(side: Side, { address, zone }: ZonedAddress, prefix = 8 * address.length): Filter {
  const condition = { kind: "address", side, address, prefix } as const;
  return zone ? { kind: "all", of: [condition, { kind: "device", index: zone.index }] } : condition;
}

function addressFilter(text: string): Filter | undefined {
  const [bare, length] = text.split("/");
  const inner = /^\[(.*)\]$/.exec(bare!)?.[1] ?? bare!;
  if (!parseIp(inner.replace(/%.*$/, ""))) return undefined;
  const zoned = parseAddress(inner);
  const bits = zoned.address.length * 8;
  const prefix = length === undefined ? bits : parseInteger(length, `${text}: prefix`, 0, bits);
  return eitherSide((side) => zonedFilter(side, zoned, prefix));
}

/** `*` is any wildcard here: `*:8000` is how the table shows a listener for both families. */
function endpointFilter(text: string): Filter {
  const { address, zone, port } = parseEndpoint(text);
  const addresses = text.startsWith("*:")
    ? [{ address: new Uint8Array(4) }, { address: new Uint8Array(16) }]
    : address
      ? [{ address, zone }]
      : [];
  return eitherSide((side) => ({
    kind: "all",
    of: [
      { kind: "port", side, port },
      ...(addresses.length > 0
        ? [
            {
              kind: "any" as const,
              of: addresses.map((one) => zonedFilter(side, one)),
            },
          ]
        : []),
    ],
  }));
}

/** How many letters have to be changed, added, dropped or swapped with their neighbour; more than `most` counts as most + 1. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

const STATE_LIST = [...new Set(STATES.map(({ rfc }) => rfc.toLowerCase()))].join(", ");

/** The state that a word was probably meant to be. */
function misspeltState(word: string): string | undefined {
  const normal = word.toLowerCase().replace(/^tcp_/, "").replace(/[-_ ]/g, "");
  let meant = /[-_]wait/i.test(word) ? "time-wait" : undefined;
  let least = 3;
  for (const name of normalStateNames()) {
    const changes = name.length >= 5 ? distance(normal, name, 2) : least;
    if (changes < least) [least, meant] = [changes, name];
  }
  return meant && parseState(meant)?.toLowerCase();
}

function unknownState(word: string): UsageError {
  const meant = misspeltState(word);
  return new UsageError(
    `'${word}' is not a TCP state${meant ? `: did you mean ${meant}?` : "."} The states are ${STATE_LIST}`,
  );
}

const KEYWORDS = ["pid", "program", "user", "state", "port", "address"] as const;

export function parseWhat(words: readonly string[]): What {
  const what: What = { pids: new Set(), programs: new Set(), uids: new Set() };
  const ports: Filter[] = [];
  const addresses: Filter[] = [];
  const addState = (word: string) => {
    const state = parseState(word);
    if (!state) throw unknownState(word);
    what.states = (what.states ?? 0) | stateMask(state);
  };
  const keyword: Record<(typeof KEYWORDS)[number], (value: string) => void> = {
    pid: (value) => what.pids.add(parseInteger(value, "pid", 1, MAX_PID)),
    program: (value) => what.programs.add(value),
    user: (value) => {
      const uid = userId(value);
      if (uid === undefined)
        throw new UsageError(`there is no user '${value}' in /etc/passwd; a number will do as well`);
      what.uids.add(uid);
    },
    state: addState,
    port: (value) => ports.push(portFilter(parsePort(value))),
    address: (value) => {
      const filter = addressFilter(value);
      if (!filter) throw new UsageError(`'${value}' is not an IP address or a network like 10.0.0.0/8`);
      addresses.push(filter);
    },
  };
  const plain = (word: string) => {
    if (word === "") throw new UsageError("an empty word: expected a port, an address, a state or a program");
    if (/^:?\d+$/.test(word)) ports.push(portFilter(parsePort(word)));
    else if (parseState(word)) addState(word);
    else if (addressFilter(word)) addresses.push(addressFilter(word)!);
    else if (/^(\[.*\]|[\d.]+|\*|localhost):[^:]*$/.test(word) || word.startsWith(":"))
      ports.push(endpointFilter(word));
    else if (/^\d/.test(word)) parsePort(word);
    else if (misspeltState(word))
      throw new UsageError(`${unknownState(word).message}. For a program of this name: program ${word}`);
    else if (/:\d+$/.test(word))
      throw new UsageError(`'${word}': no address stands before the port. For a program of this name: program ${word}`);
    else what.programs.add(word);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const key = KEYWORDS.find((candidate) => candidate === word);
    if (!key) plain(word);
    else if (words[i + 1] === undefined) throw new UsageError(`'${word}' needs a value after it`);
    else keyword[key](words[++i]!);
  }
  const parts = [ports, addresses].filter((of) => of.length > 0).map((of): Filter => ({ kind: "any", of }));
  if (parts.length > 0) what.filter = { kind: "all", of: parts };
  return what;
}
