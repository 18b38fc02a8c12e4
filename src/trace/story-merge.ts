/**
 * The rules by which stories are made comparable. Each takes away what depends on how fast a machine is, how large its
 * buffers are, or in which order a table is walked; docs/model-vs-kernel.md has them from {@link STORY_RULES}.
 */

/** An item in the making. */
export interface Draft {
  kind: "call" | "return" | "segment" | "state";
  text: string;
  n: number;
  host?: string;
  /** The socket that it is about. */
  socket: string | undefined;
  /** Of a return: its call's event. */
  of?: number;
  isWrite?: boolean;
  /** Of a pure ACK that says nothing new: the connection's number. */
  repeats?: number;
  /** Of a state: a pure ACK has brought it about. */
  byAck?: boolean;
  /** Of a segment that carries data, sent or delivered: which. Several of the same that are new are a transfer. */
  data?: string;
  isNew?: boolean;
  /** Of a FIN, the same: behind which data it comes. */
  fin?: string;
  /** Of a read or a write: which stream it is of. */
  stream?: string;
  isRead?: boolean;
  /** Of the result of ioctl: without the amount. */
  amount?: string;
}

export const STORY_RULES: readonly string[] = [
  "Pure ACKs (no data, no SYN, FIN or RST) that acknowledge something new are left out: they may be delayed, ride on data, or be saved. The state that one leads to is told, as if it had come at once. One that repeats what has been said (a challenge, TIME-WAIT's answer) is told, but on connections with a transfer or with data that are sent again: there they tell of windows and gaps.",
  "Numbers are told by where a segment stands in its stream (`next`, `again`, `beyond`), and by how much data it carries; ports that no program has asked for are `any`.",
  "How much fits into a buffer is the machine's: a `write` is told with its result, whenever it returned.",
  "What is written in one call and takes more than one segment is a transfer. How it is cut, how fast it goes, and how far it has got when something else happens are the machine's: it is told once, where it begins, without amounts, and so is its FIN, and so are SIOCINQ and SIOCOUTQ until it is over.",
  "A stream has no boundaries: where more than one segment with data goes the same way, with nothing but reads and writes between, they are told as one, and so are the reads and the writes, without amounts.",
  "Between two calls on a host each of its sockets is told for itself: in which order several move is a matter of microseconds.",
];

/** A write's result behind its call. */
function tellWrites(items: readonly Draft[]): Draft[] {
  const writes = new Set(items.filter(({ isWrite }) => isWrite).map(({ n }) => n));
  const results = new Map<number, Draft>();
  for (const item of items) if (item.of !== undefined && writes.has(item.of)) results.set(item.of, item);
  return items.flatMap((item) => {
    if (item.of !== undefined && writes.has(item.of)) return [];
    const result = item.isWrite ? results.get(item.n) : undefined;
    return result ? [item, result] : [item];
  });
}

/** What a pure ACK has brought about, behind the last that its socket had to do with. */
function advanceStates(items: readonly Draft[]): Draft[] {
  const result: Draft[] = [];
  for (const item of items) {
    const at = item.byAck ? result.findLastIndex(({ socket }) => socket === item.socket) + 1 : result.length;
    result.splice(at, 0, item);
  }
  return result;
}

/** The transfers, by what their segments are called. */
function transfersOf(items: readonly Draft[]): Set<string> {
  const seen = new Set<string>();
  const transfers = new Set<string>();
  for (const { data, isNew } of items) {
    if (data === undefined || !isNew) continue;
    if (seen.has(data)) transfers.add(data);
    seen.add(data);
  }
  return transfers;
}

/** Tells transfers once, and what hangs on how far they have got without amounts. */
class Transfers {
  readonly #transfers: Set<string>;
  readonly #told = new Set<string>();
  /** The last segment of a socket's transfers, by its place. */
  readonly #last = new Map<string, number>();
  /** The sockets whose latest data are a transfer's: there is no saying which read gets how much of them. */
  readonly #reading = new Set<string>();

  constructor(private readonly items: readonly Draft[]) {
    this.#transfers = transfersOf(items);
    items.forEach(({ data, socket }, i) => {
      if (this.#isTransfer(data)) this.#last.set(socket!, i);
    });
  }

  #isTransfer(data: string | undefined): data is string {
    return data !== undefined && this.#transfers.has(data);
  }

  #once(item: Draft, text: string, more: Partial<Draft> = {}): Draft[] {
    if (this.#told.has(text)) return [];
    this.#told.add(text);
    return [{ ...item, ...more, text }];
  }

  #tell(item: Draft, at: number): Draft[] {
    const { data, fin, amount, stream, isRead, socket = "" } = item;
    if (data !== undefined) {
      if (!this.#isTransfer(data)) this.#reading.delete(socket);
      else if (data.startsWith("delivered")) this.#reading.add(socket);
    }
    if (this.#isTransfer(fin)) {
      const end = this.#once(item, fin.replace(/data.*/, "FIN of a transfer"), { byAck: true });
      return data === undefined ? end : [...this.#once(item, data), ...end];
    }
    if (this.#isTransfer(data)) return this.#once(item, data);
    if (isRead && this.#reading.has(socket)) return this.#once(item, stream!);
    return [amount !== undefined && (this.#last.get(socket) ?? -1) > at ? { ...item, text: amount } : item];
  }

  tell(): Draft[] {
    return this.items.flatMap((item, i) => this.#tell(item, i));
  }
}

/** Reads, writes and data: what may lie between the parts of a stream. */
function keyOf({ stream, data, fin }: Draft): string | undefined {
  return stream ?? (fin === undefined ? data?.replace(/ of write \d+/, "") : undefined);
}

/** A run of data, reads and writes, in short if it is more than one segment one way. */
function inShort(run: readonly Draft[]): Draft[] {
  const first = new Map<string, Draft>();
  let several = false;
  for (const item of run) {
    const key = keyOf(item)!;
    if (first.has(key) && item.data !== undefined) several = true;
    if (item.data !== undefined && item.text === item.data) several = true; // a transfer
    if (!first.has(key)) first.set(key, item);
  }
  if (!several) return [...run];
  return [...first.keys()].sort().map((key) => ({ ...first.get(key)!, text: key }));
}

function mergeStreams(items: readonly Draft[]): Draft[] {
  const result: Draft[] = [];
  for (let at = 0; at < items.length;) {
    let end = at;
    while (end < items.length && keyOf(items[end]!) !== undefined) end++;
    if (end === at) result.push(items[at++]!);
    else result.push(...inShort(items.slice(at, end)));
    at = Math.max(at, end);
  }
  return result;
}

const isCall = ({ kind }: Draft) => kind === "call" || kind === "return";

function sortSockets(items: readonly Draft[]): Draft[] {
  const result: Draft[] = [];
  for (let at = 0; at < items.length;) {
    let end = at + 1;
    if (!isCall(items[at]!)) while (end < items.length && !isCall(items[end]!)) end++;
    const name = ({ socket = "" }: Draft) => socket;
    result.push(...items.slice(at, end).sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0)));
    at = end;
  }
  return result;
}

/** What is comparable of one host's items. */
export function merge(items: readonly Draft[]): { text: string; n: number }[] {
  const merged = sortSockets(mergeStreams(advanceStates(new Transfers(tellWrites(items)).tell())));
  return merged.map(({ text, n }) => ({ text, n }));
}
