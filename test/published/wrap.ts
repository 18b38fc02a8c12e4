/**
 * RFC 1185's Twrap: how long a connection takes for half of the sequence space, after which an old number counts as new. The
 * bytes in between are not moved: a receiver of plain data is put where they would have taken it (`afterReceiving`).
 */
import { ACK, FIN, PSH, SYN, type TcpOption, type TcpSegment } from "../../src/codec/tcp.ts";
import { seq, seqAdd, type Seq } from "../../src/codec/seq.ts";
import * as tcp from "../../src/tcp/index.ts";

/** RFC 1185, section 2's table. Bytes a second, seconds. */
export const PUBLISHED = [
  { network: "ARPANET, 56 kbps", bytesPerS: 7e3, twrapS: 3e5 },
  { network: "DS1, 1.5 Mbps", bytesPerS: 190e3, twrapS: 1e4 },
  { network: "Ethernet, 10 Mbps", bytesPerS: 1.25e6, twrapS: 1700 },
  { network: "DS3, 45 Mbps", bytesPerS: 5.6e6, twrapS: 380 },
  { network: "FDDI, 100 Mbps", bytesPerS: 12.5e6, twrapS: 170 },
  { network: "Gigabit, 1 Gbps", bytesPerS: 125e6, twrapS: 17 },
] as const;

export const HALF = 2 ** 31;
const S = 1_000_000;
/** A peer's ISN so near the end of the space that the numbers wrap. */
const PEER_ISS = seq(0xffff_ff00);
const FIRST = seqAdd(PEER_ISS, 1);
const PORTS = { local: 80, remote: 40_000 };
/** The connection's first segment, which comes again later. */
export const FIRST_LENGTH = 1000;

type Given = Partial<TcpSegment>;

function segment(given: Given): TcpSegment {
  return {
    sourcePort: PORTS.remote,
    destinationPort: PORTS.local,
    seq: PEER_ISS,
    ack: seq(1001),
    flags: ACK,
    window: 65_535,
    urgent: 0,
    options: [],
    payload: new Uint8Array(),
    ...given,
  };
}

/** The peer's clock. */
const stampAt = (nowUs: number): TcpOption => ({ kind: "timestamps", value: Math.floor(nowUs / 1000), echo: 0 });

function drain(c: tcp.Connection, nowUs: number): void {
  while (tcp.pollTransmit(c, nowUs));
}

/** A segment arrives; all that it draws is sent. */
function arrives(c: tcp.Connection, nowUs: number, given: Given): void {
  const { timestamps } = c.settings;
  const options = [...(given.options ?? []), ...(timestamps && !given.options ? [stampAt(nowUs)] : [])];
  tcp.handleSegment(c, nowUs, segment({ ...given, options }));
  drain(c, nowUs);
}

/** So many bytes come in order and are read, `at` after the first of all, in segments of 1000. */
export function receives(c: tcp.Connection, at: number, bytes: number, nowUs: number): void {
  for (let done = 0; done < bytes; done += FIRST_LENGTH) {
    const payload = new Uint8Array(Math.min(FIRST_LENGTH, bytes - done));
    arrives(c, nowUs, { seq: seqAdd(FIRST, at + done), flags: ACK | PSH, payload });
    tcp.receive(c);
    drain(c, nowUs);
  }
  const due = tcp.pollTimeout(c) ?? nowUs; // the delayed ACK
  tcp.handleTimeout(c, due);
  drain(c, due);
}

interface How {
  windowScale?: number;
  timestamps?: boolean;
}

/** A receiver that has taken and read the first segment, and offers all of its window. */
export function receiver({ windowScale, timestamps = false }: How = {}): tcp.Connection {
  const scaled = windowScale === undefined ? {} : { windowScale, receiveBuffer: 65_535 * 2 ** windowScale };
  const c = tcp.listen(tcp.settingsOf({ ...scaled, timestamps, localPort: PORTS.local, remotePort: 0 }), seq(1000));
  const offers: TcpOption[] = windowScale === undefined ? [] : [{ kind: "windowScale", shift: windowScale }];
  arrives(c, 0, { flags: SYN, options: [...offers, ...(timestamps ? [stampAt(0)] : [])] });
  arrives(c, 0, { seq: FIRST });
  receives(c, 0, FIRST_LENGTH, 0);
  return c;
}

/** What {@link receives} leaves of so many more bytes, without moving them. */
export function afterReceiving(c: tcp.Connection, bytes: number, nowUs: number): tcp.Connection {
  const moved = (from: Seq) => seqAdd(from, bytes);
  return {
    ...tcp.copyConnection(c),
    rcvNxt: moved(c.rcvNxt),
    rcvEdge: moved(c.rcvEdge),
    lastAckSent: moved(c.lastAckSent),
    sndWl1: moved(c.sndWl1),
    lastReceivedAtUs: nowUs,
    ...(c.tsRecent !== null && { tsRecent: Math.floor(nowUs / 1000), tsRecentAtUs: nowUs }),
  };
}

function after(bytes: number, bytesPerS: number, how: How = {}): { c: tcp.Connection; nowUs: number } {
  const nowUs = Math.floor((bytes / bytesPerS) * S);
  return { c: afterReceiving(receiver(how), bytes - FIRST_LENGTH, nowUs), nowUs };
}

/**
 * Whether the SYN that began the connection, come again when so many bytes have been received and the connection is in
 * TIME-WAIT, is taken for the SYN of a new one.
 */
export function takesOldSyn(bytes: number, bytesPerS: number): boolean {
  const { c, nowUs } = after(bytes, bytesPerS);
  tcp.shutdown(c);
  drain(c, nowUs);
  arrives(c, nowUs, { seq: c.rcvNxt, ack: c.sndNxt, flags: ACK | FIN });
  return tcp.reopensWith(c, nowUs, segment({ flags: SYN })) !== undefined;
}

/** Whether the connection's first data, come again when so many bytes have been received, are taken once more. */
export function takesOldData(bytes: number, bytesPerS: number, how: How = {}): boolean {
  const { c, nowUs } = after(bytes, bytesPerS, how);
  const options = how.timestamps ? [stampAt(0)] : [];
  arrives(c, nowUs, { seq: FIRST, flags: ACK | PSH, payload: new Uint8Array(FIRST_LENGTH), options });
  return c.outOfOrder.length > 0 || c.receiveLength > 0;
}

/** The least number of bytes, from 2^20 to all of the space, for which it is true and stays so; undefined: for none. */
export function least(isTrue: (bytes: number) => boolean): number | undefined {
  let [low, high] = [2 ** 20, 2 ** 32 - 2 * FIRST_LENGTH];
  if (!isTrue(high)) return undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
