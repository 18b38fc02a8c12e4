/** The trace's schema as a value: what a stored trace is held against before anything is drawn from it. */
import * as v from "valibot";
import { SOCKET_OPTIONS } from "../call/call.ts";
import type { Errno } from "../call/errno.ts";
import type { TimerKind } from "../codec/inet-diag.ts";
import { describeDecodeError } from "../codec/decoded.ts";
import { fromHex } from "../codec/hex.ts";
import { decodePacket } from "../codec/packet.ts";
import { STATES } from "../codec/state.ts";
import { TRACE_SCHEMA, type SegmentRecord, type Trace } from "./trace.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(200));
const optional = v.exactOptional;

const endpoint = v.object({ address: name, port: count });
const state = v.picklist([...new Set(STATES.map(({ rfc }) => rfc))]);
const timerKind = v.custom<TimerKind>(
  (value) => typeof value === "string" && /^(none|retransmit|keepalive|timewait|persist|unknown \d+)$/.test(value),
  "expected the kind of a timer",
);
const data = v.union([v.string(), v.object({ repeat: v.string(), length: count })]);
const option = v.picklist(SOCKET_OPTIONS);
const fd = v.pipe(v.number(), v.integer());

const call = v.variant("name", [
  v.object({ name: v.literal("socket"), family: v.picklist(["IPv4", "IPv6"]) }),
  v.object({ name: v.literal("setsockopt"), fd, option, value: v.number() }),
  v.object({ name: v.literal("getsockopt"), fd, option }),
  v.object({ name: v.literal("bind"), fd, address: name, port: count }),
  v.object({ name: v.literal("listen"), fd, backlog: v.number() }),
  v.object({ name: v.literal("accept"), fd }),
  v.object({ name: v.literal("connect"), fd, address: name, port: count }),
  v.object({ name: v.literal("read"), fd, length: count }),
  v.object({ name: v.literal("write"), fd, data, more: optional(v.boolean()) }),
  v.object({ name: v.literal("shutdown"), fd, how: v.picklist(["read", "write", "both"]) }),
  v.object({ name: v.literal("close"), fd }),
  v.object({ name: v.literal("getsockname"), fd }),
  v.object({ name: v.literal("ioctl"), fd, request: v.picklist(["SIOCINQ", "SIOCOUTQ"]) }),
  v.object({ name: v.literal("poll"), fd }),
  v.object({ name: v.literal("fork"), child: name }),
  v.object({ name: v.literal("setuid"), uid: count }),
  v.object({ name: v.literal("exit"), status: v.number(), by: v.picklist(["exit", "return"]) }),
]);

const result = v.variant("ok", [
  v.object({
    ok: v.literal(true),
    value: v.number(),
    data: optional(v.object({ length: count, head: v.string() })),
    endpoint: optional(endpoint),
    events: optional(v.array(v.picklist(["IN", "OUT", "ERR", "HUP", "RDHUP"]))),
  }),
  v.object({
    ok: v.literal(false),
    errno: count,
    code: v.custom<Errno>(
      (value) => typeof value === "string" && /^(E[A-Z0-9]+|errno \d+)$/.test(value),
      "expected an errno's name",
    ),
  }),
]);

const hexadecimal = v.pipe(v.string(), v.regex(/^([0-9a-f]{2})*$/i, "expected hexadecimal digits"));

const packet = v.object({
  from: name,
  to: name,
  source: endpoint,
  destination: endpoint,
  flags: v.array(v.picklist(["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"])),
  seq: count,
  ack: count,
  window: count,
  payloadLength: count,
  bytes: hexadecimal,
  length: count,
});

const base = { n: count, tUs: count, cause: optional(count) };

const event = v.variant("kind", [
  v.object({ ...base, kind: v.literal("call"), host: name, process: name, socket: optional(name), call }),
  v.object({
    ...base,
    kind: v.literal("return"),
    cause: count,
    host: name,
    process: name,
    socket: optional(name),
    result,
  }),
  v.object({
    ...base,
    kind: v.literal("segment"),
    segment: count,
    fate: v.picklist([
      "sent",
      "delivered",
      "dropped",
      "held",
      "released",
      "delayed",
      "duplicated",
      "modified",
      "expired",
    ]),
    host: optional(name),
    rule: optional(v.string()),
    copy: optional(count),
    byUs: optional(count),
    packet: optional(packet),
  }),
  v.object({
    ...base,
    kind: v.literal("state"),
    host: name,
    socket: name,
    from: state,
    to: state,
    timer: optional(v.object({ kind: timerKind, leftMs: v.number() })),
  }),
  v.object({
    ...base,
    kind: v.literal("timer"),
    host: name,
    socket: name,
    timer: timerKind,
    what: v.picklist(["started", "restarted", "expired"]),
    leftMs: v.number(),
  }),
  v.object({
    ...base,
    kind: v.literal("note"),
    about: v.picklist(["story", "process", "output", "setting", "expectation"]),
    host: optional(name),
    process: optional(name),
    text: v.string(),
    met: optional(v.boolean()),
  }),
]);

const outcome = v.variant("status", [
  v.object({
    status: v.literal("done"),
    verdict: v.object({ holds: v.picklist(["yes", "no", "partly"]), because: v.string() }),
  }),
  v.object({ status: v.literal("failed"), reason: v.string() }),
  v.object({ status: v.literal("not run"), reason: v.string() }),
]);

const trace = v.object({
  schema: v.literal(TRACE_SCHEMA),
  experiment: v.object({ id: name, title: v.string(), claims: v.array(name), article: v.string() }),
  world: v.picklist(["kernel", "model"]),
  system: v.string(),
  startedAtMs: optional(count),
  hosts: v.array(v.object({ name, addresses: v.array(name) })),
  sockets: v.array(v.object({ id: name, host: name, local: endpoint, peer: endpoint })),
  events: v.array(event),
  outcome,
});

/** A stored trace that is none: `where` is the path to what is wrong, such as `events.3.call.fd`. */
export interface NotATrace {
  where: string;
  problem: string;
}

/** No packet is longer than IPv6's length field can say, bytes. */
const MAX_PACKET = 65_575;

/** What is wrong with a packet's bytes; undefined if they are the beginning of one. */
function findDamage({ bytes, length }: SegmentRecord): string | undefined {
  const captured = fromHex(bytes)!;
  if (length > MAX_PACKET || captured.length > length) return `${captured.length} bytes of ${length}`;
  const whole = new Uint8Array(length);
  whole.set(captured);
  const packet = decodePacket(whole);
  if (!packet.ok) return describeDecodeError(packet.error);
  const headers = length - packet.value.tcp.payload.length;
  return captured.length < headers ? `${headers} bytes of headers are cut to ${captured.length}` : undefined;
}

/** What events refer to must be there: hosts by name, segments by a `sent` that carries the packet, causes by number. */
function findDangling({ hosts, events }: Trace): NotATrace | undefined {
  const names = new Set(hosts.map((host) => host.name));
  const sent = new Set<number>();
  for (const [i, event] of events.entries()) {
    const where = `events.${i}`;
    if (event.n !== i + 1) return { where: `${where}.n`, problem: `expected ${i + 1}, found ${event.n}` };
    if (event.cause !== undefined && (event.cause < 1 || event.cause >= event.n)) {
      return { where: `${where}.cause`, problem: `there is no earlier event ${event.cause}` };
    }
    if (event.host !== undefined && !names.has(event.host)) {
      return { where: `${where}.host`, problem: `there is no host ${event.host}` };
    }
    if (event.kind === "return" && events[event.cause - 1]?.kind !== "call") {
      return { where: `${where}.cause`, problem: `event ${event.cause} is no call` };
    }
    if (event.kind !== "segment") continue;
    const damage = event.packet && findDamage(event.packet);
    if (damage !== undefined) return { where: `${where}.packet.bytes`, problem: damage };
    if (event.fate === "sent" && !event.packet) return { where, problem: "a segment is sent without its packet" };
    if (event.fate === "sent") sent.add(event.segment);
    else if (!sent.has(event.segment)) return { where, problem: `segment ${event.segment} was never sent` };
  }
  return undefined;
}

/** Reads a stored trace. Never throws. */
export function readTrace(text: string): { ok: true; trace: Trace } | ({ ok: false } & NotATrace) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, where: "the file", problem: (error as Error).message };
  }
  const parsed = v.safeParse(trace, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return { ok: false, where: v.getDotPath(issue) ?? "the file", problem: issue.message };
  }
  const checked: Trace = parsed.output;
  const dangling = findDangling(checked);
  return dangling ? { ok: false, ...dangling } : { ok: true, trace: checked };
}
