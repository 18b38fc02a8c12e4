/** How a trace comes about: worlds tell what happens, in the order in which it does. */
import type { Call, Endpoint, Result } from "../call/call.ts";
import type {
  CallResult,
  DataSummary,
  EndState,
  NoteEvent,
  SocketTimer,
  TimerEvent,
  TraceEvent,
  TraceHost,
  TraceSocket,
} from "./trace.ts";

/** What a world sees of one socket. `key` identifies it for its life (the kernel's cookie). */
export interface SocketSight {
  key: string;
  state: EndState;
  local: Endpoint;
  peer: Endpoint;
  timer?: SocketTimer;
  /** How often its timer has gone off without an answer. */
  retransmits?: number;
  queues?: Queues;
  /** A process has it: it was accepted, and not everybody has closed it. */
  owned?: boolean;
}

/**
 * Bytes that wait, as the kernel lists them: received and not read, where a FIN counts as one; written and not
 * acknowledged. Of a listener: connections to be accepted, and how many may be.
 */
export interface Queues {
  receive: number;
  send: number;
}

/** A socket as it was last seen. */
export interface KnownSocket extends TraceSocket {
  state: EndState;
  timer: SocketTimer | undefined;
  retransmits: number;
  queues: Queues;
  owned: boolean;
  /** When its timer was last seen, microseconds since the start. */
  timerSeenUs: number;
}

/** An event without what the recorder adds. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type NewEvent = Without<TraceEvent, "n" | "tUs">;

/** The timers that say how long something lasts; others run for every segment that is on its way. */
const LASTING: ReadonlySet<string> = new Set(["timewait", "persist"]);

/** A timer that has this much more time left than it should has been started again, milliseconds. */
const RESTART_MS = 20;

const NO_QUEUES: Queues = { receive: 0, send: 0 };

/** How many bytes of what was read a trace keeps. */
const HEAD_LENGTH = 64;

/** Bytes in short, for people. */
export function summarize(bytes: Uint8Array): DataSummary {
  let head = "";
  for (const byte of bytes.subarray(0, HEAD_LENGTH)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
    head += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return { length: bytes.length, head };
}

function inShort(result: Result): CallResult {
  if (!result.ok) return result;
  const { ok, value, bytes, endpoint, events } = result;
  return {
    ok,
    value,
    ...(bytes && { data: summarize(bytes) }),
    ...(endpoint && { endpoint }),
    ...(events && { events }),
  };
}

export class Recorder {
  readonly events: TraceEvent[] = [];
  readonly hosts: TraceHost[] = [];
  /** By host, then by key. */
  readonly #known = new Map<string, Map<string, KnownSocket>>();
  readonly #byId = new Map<string, KnownSocket>();
  #segments = 0;
  /** Told of each note as it is made: for whoever shows how a long run goes. */
  onNote: ((text: string) => void) | undefined;

  /** `nowUs`: microseconds since the run began. */
  constructor(readonly nowUs: () => number) {}

  add(event: NewEvent): number {
    const n = this.events.length + 1;
    this.events.push(Object.assign({ n, tUs: this.nowUs() }, event) as TraceEvent);
    return n;
  }

  note(about: NoteEvent["about"], text: string, more: Partial<NoteEvent> = {}): number {
    this.onNote?.(text);
    return this.add({ kind: "note", about, text, ...more });
  }

  call(process: { name: string; host: string }, call: Call, socket?: string): number {
    return this.add({ kind: "call", host: process.host, process: process.name, ...(socket && { socket }), call });
  }

  result(process: { name: string; host: string }, call: number, result: Result, socket?: string): number {
    const { name, host } = process;
    return this.add({
      kind: "return",
      host,
      process: name,
      ...(socket && { socket }),
      cause: call,
      result: inShort(result),
    });
  }

  /** The number of a segment that is about to be sent. */
  nextSegment(): number {
    return ++this.#segments;
  }

  get sockets(): TraceSocket[] {
    return [...this.#byId.values()].map(({ id, host, local, peer }) => ({ id, host, local, peer }));
  }

  /** The socket as last seen; undefined if it never was. */
  socket(id: string): KnownSocket | undefined {
    return this.#byId.get(id);
  }

  /** The sockets of a host that exist, as last seen. */
  socketsOf(host: string): KnownSocket[] {
    return this.keysOf(host).map(([, socket]) => socket);
  }

  /** The id of the socket with this key; it gets one where it has none. */
  idOf(host: string, key: string): string {
    return this.#meet(host, key).id;
  }

  #socketsByKey(host: string): Map<string, KnownSocket> {
    let sockets = this.#known.get(host);
    if (!sockets) this.#known.set(host, (sockets = new Map()));
    return sockets;
  }

  #meet(host: string, key: string): KnownSocket {
    const sockets = this.#socketsByKey(host);
    const known = sockets.get(key);
    if (known) return known;
    const nowhere = { address: "", port: 0 };
    const socket: KnownSocket = {
      id: `${host}/${sockets.size + 1}`,
      host,
      local: nowhere,
      peer: nowhere,
      state: "CLOSED",
      timer: undefined,
      retransmits: 0,
      queues: NO_QUEUES,
      owned: false,
      timerSeenUs: 0,
    };
    sockets.set(key, socket);
    this.#byId.set(socket.id, socket);
    return socket;
  }

  /**
   * A socket was seen: records what has changed about it. `cause`: the event that may have changed it; without one, time
   * has. Returns the event of a timer that went off, if one did.
   */
  saw(host: string, sight: SocketSight, cause?: number): number | undefined {
    const socket = this.#meet(host, sight.key);
    const before = { ...socket };
    const { local, peer, state, timer, retransmits = 0, queues = NO_QUEUES, owned = false } = sight;
    Object.assign(socket, { local, peer, state, timer, retransmits, queues, owned, timerSeenUs: this.nowUs() });
    const base = () => ({ host, socket: socket.id, ...(cause !== undefined && { cause }) });
    const wentOff = cause === undefined && retransmits > before.retransmits && timer;
    const event = wentOff
      ? this.add({ kind: "timer", ...base(), timer: timer.kind, what: "expired", leftMs: 0 })
      : undefined;
    if (before.state !== state) {
      this.add({ kind: "state", ...base(), from: before.state, to: state, ...(timer && { timer }) });
    } else if (timer && LASTING.has(timer.kind)) {
      const what = this.#timerChange(before, timer);
      if (what) this.add({ kind: "timer", ...base(), timer: timer.kind, what, leftMs: timer.leftMs });
    }
    return event;
  }

  #timerChange(before: KnownSocket, now: SocketTimer): TimerEvent["what"] | undefined {
    if (before.timer?.kind !== now.kind) return "started";
    const expectedMs = before.timer.leftMs - (this.nowUs() - before.timerSeenUs) / 1000;
    return now.leftMs > expectedMs + RESTART_MS && now.kind === "timewait" ? "restarted" : undefined;
  }

  /** A socket is not there any more. Nothing happens if it was not known to be. */
  lost(host: string, key: string, cause?: number): void {
    const socket = this.#known.get(host)?.get(key);
    if (!socket || socket.state === "CLOSED") return;
    const { state: from, timer } = socket;
    socket.state = "CLOSED";
    socket.queues = NO_QUEUES;
    socket.owned = false;
    socket.timer = undefined;
    if (cause === undefined && timer) {
      this.add({ kind: "timer", host, socket: socket.id, timer: timer.kind, what: "expired", leftMs: 0 });
    }
    this.add({ kind: "state", host, socket: socket.id, ...(cause !== undefined && { cause }), from, to: "CLOSED" });
  }

  /** The keys of a host's sockets that exist, with what they are. */
  keysOf(host: string): [key: string, socket: KnownSocket][] {
    return [...this.#socketsByKey(host)].filter(([, { state }]) => state !== "CLOSED");
  }
}
