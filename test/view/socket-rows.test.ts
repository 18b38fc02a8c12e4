import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIp, isUnspecified, parseIp } from "../../src/codec/address.ts";
import {
  decodeInetDiagMessage,
  encodeInetDiagMessage,
  INET_DIAG_SHUTDOWN,
  INET_DIAG_SKV6ONLY,
  SOCK_DIAG_BY_FAMILY,
  type InetDiagMessage,
} from "../../src/codec/inet-diag.ts";
import { encodeNetlinkMessage, NLM_F_MULTI, NLMSG_NOOP } from "../../src/codec/nlmsg.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { COLUMNS, FIXED_WIDTHS, SocketRows, type RowContext } from "../../src/view/socket-rows.ts";

const TCP_CLOSE = 7;
const TCP_LISTEN = 10;
const TCP_BOUND_INACTIVE = 13;
/** The states of which the kernel tells INET_DIAG_SKV6ONLY (net/ipv4/inet_diag.c). */
const TELLS_V6ONLY = [TCP_CLOSE, TCP_LISTEN, TCP_BOUND_INACTIVE];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const userName = (uid: number) => (uid === 0 ? "root" : `user${uid}`);
const deviceName = (index: number) => `eth${index}`;
const ownerName = (inode: number) => (inode === 0 ? "-" : `node(${inode},fd=3)`);

function context(owners: ((inode: number) => string) | undefined): RowContext {
  return {
    user: (uid) => bytesOf(userName(uid)),
    interfaceName: (index) => bytesOf(deviceName(index)),
    ...(owners && {
      owners: {
        room: (inode) => bytesOf(owners(inode)).length,
        put(out, at, inode) {
          const text = bytesOf(owners(inode));
          out.set(text, at);
          return at + text.length;
        },
      },
    }),
  };
}

/** The columns of a row, made from the decoded message with strings. */
function columnsOf(message: InetDiagMessage): string[] {
  const socket = toTcpSocket(message);
  const dualStack = socket.v6only === false && TELLS_V6ONLY.includes(message.state) && isUnspecified(message.source);
  const address = (bytes: Uint8Array, zone = "") => {
    const text = (dualStack ? "*" : formatIp(bytes)) + zone;
    return bytes.length === 4 || dualStack ? text : `[${text}]`;
  };
  const device = message.interfaceIndex === 0 ? "" : `%${deviceName(message.interfaceIndex)}`;
  const { timer } = socket;
  const tenths = String(Math.floor((timer?.leftMs ?? 0) / 100)).padStart(2, "0");
  const fired = timer && timer.retransmits > 0 ? `(${timer.retransmits})` : "";
  return [
    socket.protocol,
    String(socket.receiveQueue),
    String(socket.sendQueue),
    `${address(message.source, device)}:${socket.local.port || "*"}`,
    `${address(message.destination)}:${socket.peer.port || "*"}`,
    socket.state,
    timer ? `${timer.kind.replace(/ .*/, "")}:${tenths.slice(0, -1)}.${tenths.slice(-1)}s${fired}` : "-",
    socket.uid === null ? "-" : userName(socket.uid),
  ];
}

/** Columns as one line: queues to the right, the rest to the left, the last not padded. */
function lineOf(columns: readonly string[], widths: readonly number[]): string {
  const padded = columns.map((text, i) => {
    if (i === 1 || i === 2) return text.padStart(widths[i]!);
    return i === columns.length - 1 ? text : text.padEnd(widths[i]!);
  });
  return `${padded.join(" ")}\n`;
}

function netlink(payload: Uint8Array, type = SOCK_DIAG_BY_FAMILY): Uint8Array {
  return encodeNetlinkMessage({ type, flags: NLM_F_MULTI, seq: 1, pid: 0, payload });
}

function slabOf(messages: readonly InetDiagMessage[]): Uint8Array {
  return Buffer.concat(messages.map((message) => netlink(encodeInetDiagMessage(message))));
}

/** Everything that comes out for these messages, at once. */
function render(rows: SocketRows, slab: Uint8Array): { text: string; count: number } {
  const pieces: string[] = [];
  const count = rows.append(slab, slab.length, (text) => pieces.push(textOf(text)));
  return { text: pieces.join("") + textOf(rows.take()), count };
}

const uint32 = fc.oneof(
  fc.nat(20),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(9, 10, 99, 100, 999_999_999, 1_000_000_000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
);
const octet = fc.integer({ min: 0, max: 255 });
const port = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const word = fc.oneof(fc.constant(0), fc.constant(0), fc.constantFrom(1, 0x10, 0x100, 0x1000), fc.nat(0xffff));
const v6 = fc.oneof(
  fc
    .array(word, { minLength: 8, maxLength: 8 })
    .map((words) => Uint8Array.from(words.flatMap((w) => [w >> 8, w & 255]))),
  v4.map((bytes) => Uint8Array.of(...new Uint8Array(10), 255, 255, ...bytes)),
  fc.constant(new Uint8Array(16)),
);

const message: fc.Arbitrary<InetDiagMessage> = fc
  .record({
    family: fc.constantFrom(2, 10),
    state: fc.oneof(fc.constantFrom(...TELLS_V6ONLY), fc.integer({ min: 0, max: 14 }), octet),
    v6only: fc.constantFrom(undefined, 0, 1),
    timer: fc.oneof(fc.nat(5), octet),
    retransmits: fc.oneof(fc.constant(0), octet),
    ports: fc.tuple(port, port),
    v4: fc.tuple(v4, v4),
    v6: fc.tuple(v6, v6),
    interfaceIndex: fc.oneof(fc.constant(0), fc.nat(40), uint32),
    numbers: fc.tuple(uint32, uint32, uint32, uint32, uint32),
    bare: fc.boolean(),
  })
  .map(({ v6only, ports, numbers, bare, ...given }) => {
    const told = given.family === 10 && TELLS_V6ONLY.includes(given.state) && v6only !== undefined;
    const [source, destination] = given.family === 2 ? given.v4 : given.v6;
    return {
      ...given,
      sourcePort: ports[0],
      destinationPort: ports[1],
      source,
      destination,
      cookie: 0n,
      expiresMs: numbers[0],
      receiveQueue: numbers[1],
      sendQueue: numbers[2],
      uid: numbers[3],
      inode: bare ? 0 : numbers[4],
      attributes: [
        { type: INET_DIAG_SHUTDOWN, value: Uint8Array.of(0) },
        ...(told ? [{ type: INET_DIAG_SKV6ONLY, value: Uint8Array.of(v6only) }] : []),
      ],
    };
  });

const LISTENER: InetDiagMessage = {
  family: 10,
  state: TCP_LISTEN,
  timer: 0,
  retransmits: 0,
  sourcePort: 8000,
  destinationPort: 0,
  source: new Uint8Array(16),
  destination: new Uint8Array(16),
  interfaceIndex: 0,
  cookie: 1n,
  expiresMs: 0,
  receiveQueue: 1,
  sendQueue: 128,
  uid: 0,
  inode: 4242,
  attributes: [{ type: INET_DIAG_SKV6ONLY, value: Uint8Array.of(0) }],
};
const TIME_WAIT: InetDiagMessage = {
  ...LISTENER,
  family: 2,
  state: 6,
  timer: 3,
  source: parseIp("127.0.0.1")!,
  destination: parseIp("10.200.30.4")!,
  destinationPort: 65535,
  receiveQueue: 0,
  sendQueue: 0,
  expiresMs: 59_999,
  inode: 0,
  attributes: [],
};

function row(message: InetDiagMessage): string {
  return render(new SocketRows(context(undefined), FIXED_WIDTHS), slabOf([message])).text;
}

describe("rows of sockets", () => {
  test("heading and examples", () => {
    const rows = new SocketRows(context(ownerName), FIXED_WIDTHS);
    rows.heading();
    expect(render(rows, slabOf([LISTENER, TIME_WAIT])).text).toBe(
      `\
Proto Recv-Q Send-Q Local                 Peer                  State        Timer            User     Owner
tcp46      1    128 *:8000                *:*                   LISTEN       -                root     node(4242,fd=3)
tcp4       0      0 127.0.0.1:8000        10.200.30.4:65535     TIME-WAIT    timewait:59.9s   -        -
`,
    );
  });

  test("IPv6, a bound device, an unknown state and timer, what is wider than its column", () => {
    const source = parseIp("fe80::1:0:0:2")!;
    const odd: InetDiagMessage = {
      ...LISTENER,
      state: 200,
      timer: 77,
      retransmits: 255,
      expiresMs: 0xffff_ffff,
      receiveQueue: 0xffff_ffff,
      source,
      destination: parseIp("::ffff:192.0.2.1")!,
      interfaceIndex: 3,
      attributes: [],
    };
    expect(row(odd)).toBe(
      "tcp46 4294967295    128 [fe80::1:0:0:2%eth3]:8000 [::ffff:192.0.2.1]:*  UNKNOWN-200  unknown:4294967.2s(255) root\n",
    );
    expect(row({ ...LISTENER, attributes: [] })).toContain("tcp6       1    128 [::]:8000 ");
  });

  test("equal what strings make of the decoded messages", () => {
    const given = fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 50 }), owners: fc.boolean() });
    fc.assert(
      fc.property(given, ({ messages, owners }) => {
        const slab = slabOf(messages);
        const columns = messages.map((each) => {
          const decodedAgain = decodeInetDiagMessage(encodeInetDiagMessage(each));
          if (!decodedAgain.ok) throw new Error("not decodable");
          return [...columnsOf(decodedAgain.value), ...(owners ? [ownerName(each.inode)] : [])];
        });
        const widest = COLUMNS.map((title, i) =>
          Math.max(title.length, ...(i === 8 ? [] : columns.map((texts) => texts[i]!.length))),
        );
        for (const widths of [FIXED_WIDTHS, widest]) {
          const rows = new SocketRows(context(owners ? ownerName : undefined), widths);
          const { text, count } = render(rows, slab);
          expect(text).toBe(columns.map((texts) => lineOf(texts, widths)).join(""));
          expect(count).toBe(messages.length);
          expect(rows.widest).toEqual(widest);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("many messages, more than input and output hold at once, in whole lines", () => {
    const messages = Array.from({ length: 20_000 }, (_, i) => ({
      ...TIME_WAIT,
      sourcePort: i,
      uid: i % 50,
      inode: i & 1,
    }));
    const slab = slabOf(messages);
    const rows = new SocketRows(context(ownerName), FIXED_WIDTHS);
    const pieces: string[] = [];
    expect(rows.append(slab, slab.length, (text) => pieces.push(textOf(text)))).toBe(20_000);
    pieces.push(textOf(rows.take()));
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.every((piece) => piece.endsWith("\n"))).toBe(true);
    const lines = messages.map((each) => lineOf([...columnsOf(each), ownerName(each.inode)], FIXED_WIDTHS));
    expect(pieces.join("")).toBe(lines.join(""));
  });

  test("owners longer than the memory", () => {
    const long = (inode: number) => "x".repeat(inode);
    const messages = [1, 1_000_000, 3, 2_000_000, 1].map((inode) => ({ ...LISTENER, inode }));
    const { text } = render(new SocketRows(context(long), FIXED_WIDTHS), slabOf(messages));
    expect(text).toBe(messages.map((each) => lineOf([...columnsOf(each), long(each.inode)], FIXED_WIDTHS)).join(""));
  });

  test("a name that is empty, or as long as no system has it", () => {
    const names = ["", "n".repeat(5000)];
    for (const name of names) {
      const rows = new SocketRows({ user: () => bytesOf(name), interfaceName: () => bytesOf(name) }, FIXED_WIDTHS);
      const { text } = render(rows, slabOf([{ ...LISTENER, interfaceIndex: 1 }]));
      expect(text).toContain(` *%${name.slice(0, 1012)}:8000 `);
      expect(text.endsWith(` ${name.slice(0, 1012)}\n`)).toBe(true);
    }
  });

  test("messages of netlink's own make no rows", () => {
    const slab = Buffer.concat([netlink(new Uint8Array(4), NLMSG_NOOP), slabOf([LISTENER])]);
    expect(render(new SocketRows(context(undefined), FIXED_WIDTHS), slab).count).toBe(1);
  });

  test("a message that is not whole is refused", () => {
    const slab = slabOf([LISTENER]);
    const rows = new SocketRows(context(undefined), FIXED_WIDTHS);
    expect(() => rows.append(slab, slab.length - 4, () => {})).toThrow(RangeError);
  });
});
