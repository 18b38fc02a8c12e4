/**
 * One connection under test, and the peer as strings in packetdrill's notation: `F. 1:1(0) ack 1 win 500`. Numbers are
 * relative to each side's initial one; both wrap on the way.
 */
import { seq, seqAdd, seqDiff, type Seq } from "../../src/codec/seq.ts";
import { ACK, FIN, PSH, RST, SYN, type TcpOption, type TcpSegment } from "../../src/codec/tcp.ts";
import * as tcp from "../../src/tcp/index.ts";

export const LOCAL_ISS = seq(-30);
export const REMOTE_ISS = seq(-40);
const LETTERS: readonly (readonly [string, number])[] = [
  ["S", SYN],
  ["F", FIN],
  ["R", RST],
  ["P", PSH],
  [".", ACK],
];
const PORTS = { local: 8000, remote: 40_000 };
const WINDOW = 20_000;
export const MS = 1000;
export const S = 1_000_000;

/** Bytes that tell where in the stream they stand: the n-th is n modulo 251. */
export function pattern(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

function parse(text: string, options: TcpOption[]): TcpSegment {
  const match = /^([SFRP.]*|-) (-?\d+):(-?\d+)\((\d+)\)(?: ack (-?\d+))?(?: win (\d+))?$/.exec(text);
  if (!match) throw new TypeError(`no segment: ${text}`);
  const [, letters, from, , length, ack, win] = match;
  const flags = LETTERS.reduce((bits, [letter, bit]) => (letters!.includes(letter) ? bits | bit : bits), 0);
  return {
    sourcePort: PORTS.remote,
    destinationPort: PORTS.local,
    seq: seqAdd(REMOTE_ISS, Number(from)),
    ack: ack === undefined ? seq(0) : seqAdd(LOCAL_ISS, Number(ack)),
    flags,
    window: Number(win ?? WINDOW),
    urgent: 0,
    options,
    payload: pattern(Number(from), Number(length)),
  };
}

function format({ flags, seq: from, ack, payload }: TcpSegment): string {
  const letters = LETTERS.map(([letter, bit]) => (flags & bit ? letter : "")).join("");
  // The RST to a segment that acknowledges nothing has number 0, not one of ours.
  const start = flags === (RST | ACK) && from === 0 ? 0 : seqDiff(from, LOCAL_ISS);
  const text = `${letters} ${start}:${start + payload.length}(${payload.length})`;
  return flags & ACK ? `${text} ack ${seqDiff(ack, REMOTE_ISS)}` : text;
}

export type Given = Partial<tcp.Settings>;

export class Socket {
  nowUs = 5 * S;
  /** All that has been sent, as it was. */
  readonly sent: TcpSegment[] = [];

  constructor(readonly connection: tcp.Connection) {}

  get state(): tcp.ConnectionState {
    return this.connection.state;
  }

  /** What is sent now. */
  sends(): string[] {
    const texts: string[] = [];
    for (let segment; (segment = tcp.pollTransmit(this.connection, this.nowUs));) {
      this.sent.push(segment);
      texts.push(format(segment));
    }
    return texts;
  }

  /** A segment of the peer arrives. Returns what is sent at once. */
  arrives(text: string, ...options: TcpOption[]): string[] {
    tcp.handleSegment(this.connection, this.nowUs, parse(text, options));
    return this.sends();
  }

  /** Time passes. Returns what is sent meanwhile. */
  passes(us: number): string[] {
    const until = this.nowUs + us;
    const texts: string[] = [];
    for (let due; (due = tcp.pollTimeout(this.connection)) !== undefined && due <= until;) {
      this.nowUs = Math.max(this.nowUs, due);
      tcp.handleTimeout(this.connection, this.nowUs);
      texts.push(...this.sends());
    }
    this.nowUs = until;
    return texts;
  }

  /** The user sends so many bytes of the pattern. */
  send(length: number): string[] {
    const { connection } = this;
    const at = seqDiff(connection.sndUna, LOCAL_ISS) + connection.sendLength;
    tcp.send(connection, pattern(at, length));
    return this.sends();
  }

  /** The user reads. Returns how many bytes, or null at the end. */
  reads(max?: number): number | null {
    return tcp.receive(this.connection, max)?.length ?? null;
  }

  shutdown(): string[] {
    tcp.shutdown(this.connection);
    return this.sends();
  }

  close(): string[] {
    tcp.close(this.connection, this.nowUs);
    return this.sends();
  }

  abort(): string[] {
    tcp.abort(this.connection, this.nowUs);
    return this.sends();
  }

  events(): tcp.ConnectionEvent[] {
    const events: tcp.ConnectionEvent[] = [];
    for (let event; (event = tcp.pollEvent(this.connection));) events.push(event);
    return events;
  }

  /** The window that was last sent, bytes. */
  get lastWindow(): number {
    return this.sent.at(-1)!.window;
  }
}

function settings(given: Given): tcp.Settings {
  return tcp.settingsOf({ localPort: PORTS.local, remotePort: PORTS.remote, mss: 1000, ...given });
}

export function socketInListen(given: Given = {}): Socket {
  return new Socket(tcp.listen(settings({ ...given, remotePort: 0 }), LOCAL_ISS));
}

/** Its SYN has been sent. */
export function socketInSynSent(given: Given = {}): Socket {
  const socket = new Socket(tcp.connect(settings(given), LOCAL_ISS));
  socket.sends();
  return socket;
}

/** Opened passively; its SYN,ACK has been sent. */
export function socketInSynReceived(given: Given = {}, ...options: TcpOption[]): Socket {
  const socket = socketInListen(given);
  socket.arrives("S 0:0(0)", { kind: "mss", value: 1000 }, ...options);
  return socket;
}

/** Nothing has been sent or received yet but the three segments. */
export function socketInEstablished(given: Given = {}): Socket {
  const socket = socketInSynReceived(given);
  socket.arrives(". 1:1(0) ack 1");
  socket.events();
  return socket;
}

/** The FIN has been sent, number 1. The user still reads. */
export function socketInFinWait1(given: Given = {}): Socket {
  const socket = socketInEstablished(given);
  socket.shutdown();
  return socket;
}

export function socketInFinWait2(given: Given = {}): Socket {
  const socket = socketInFinWait1(given);
  socket.arrives(". 1:1(0) ack 2");
  return socket;
}

/** Both FINs have been sent, and have crossed. */
export function socketInClosing(given: Given = {}): Socket {
  const socket = socketInFinWait1(given);
  socket.arrives("F. 1:1(0) ack 1");
  return socket;
}

/** It has acknowledged the peer's FIN, number 1. */
export function socketInTimeWait(given: Given = {}): Socket {
  const socket = socketInFinWait2(given);
  socket.arrives("F. 1:1(0) ack 2");
  return socket;
}

/** The peer's FIN is acknowledged. */
export function socketInCloseWait(given: Given = {}): Socket {
  const socket = socketInEstablished(given);
  socket.arrives("F. 1:1(0) ack 1");
  socket.passes(500 * MS);
  return socket;
}

export function socketInLastAck(given: Given = {}): Socket {
  const socket = socketInCloseWait(given);
  socket.shutdown();
  return socket;
}

export function socketInClosed(given: Given = {}): Socket {
  const socket = socketInLastAck(given);
  socket.arrives(". 2:2(0) ack 2");
  return socket;
}

/** All states in which both sides have each other's numbers. */
export const SYNCHRONIZED = {
  ESTABLISHED: socketInEstablished,
  "FIN-WAIT-1": socketInFinWait1,
  "FIN-WAIT-2": socketInFinWait2,
  CLOSING: socketInClosing,
  "TIME-WAIT": socketInTimeWait,
  "CLOSE-WAIT": socketInCloseWait,
  "LAST-ACK": socketInLastAck,
};

/** The same in both profiles: a name, and how to get there. */
export const SYNCHRONIZED_IN_BOTH = [tcp.RFC9293, tcp.LINUX].flatMap((profile) =>
  Object.entries(SYNCHRONIZED).map(([state, make]) => [`${profile.name}, ${state}`, () => make({ profile })] as const),
);

export const ALL_STATES = {
  LISTEN: socketInListen,
  "SYN-SENT": socketInSynSent,
  "SYN-RECEIVED": socketInSynReceived,
  ...SYNCHRONIZED,
  CLOSED: socketInClosed,
};

/** RCV.NXT of a socket, relative: what its peer has to send next. */
export function nextOf(socket: Socket): number {
  return seqDiff(socket.connection.rcvNxt as Seq, REMOTE_ISS);
}

/** SND.NXT of a socket, relative. */
export function sentUpTo(socket: Socket): number {
  return seqDiff(socket.connection.sndNxt as Seq, LOCAL_ISS);
}
