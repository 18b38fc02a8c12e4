import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeInetDiagMessage,
  INET_DIAG_MSG,
  INET_DIAG_MSG_LENGTH,
  SOCK_DIAG_BY_FAMILY,
} from "../../src/codec/inet-diag.ts";
import {
  encodeNetlinkMessage,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HEADER_LENGTH,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from "../../src/codec/nlmsg.ts";
import { Dump, RECEIVE_ROOM, type DumpStatus } from "../../src/linux/dump.ts";
import { decodeRows, eachRow } from "../../src/linux/socket-table.ts";

const SEQ = 7;
const ROW = NLMSG_HEADER_LENGTH + INET_DIAG_MSG_LENGTH;

function message(type: number, payload: Uint8Array, { flags = NLM_F_MULTI, seq = SEQ } = {}): Buffer {
  return Buffer.from(encodeNetlinkMessage({ type, flags, seq, pid: 0, payload }));
}

/** A socket that its port tells from others, with some bytes of attribute, as the kernel adds them. */
function row(port: number, options?: { flags?: number; seq?: number; attribute?: number }): Buffer {
  const value = new Uint8Array(options?.attribute ?? 1);
  const payload = encodeInetDiagMessage({
    family: 2,
    state: 1,
    timer: 0,
    retransmits: 0,
    sourcePort: port,
    destinationPort: 80,
    source: Uint8Array.of(127, 0, 0, 1),
    destination: Uint8Array.of(127, 0, 0, 1),
    interfaceIndex: 0,
    cookie: 1n,
    expiresMs: 0,
    receiveQueue: 0,
    sendQueue: 0,
    uid: 0,
    inode: port,
    attributes: [{ type: 8, value }],
  });
  return message(SOCK_DIAG_BY_FAMILY, payload, options);
}

const int = (value: number) => Buffer.from(Int32Array.of(value).buffer);
const done = (status = 0, options?: { flags?: number; seq?: number }) => message(NLMSG_DONE, int(status), options);

/** What `dump` says to one datagram. */
function receive(dump: Dump, ...messages: readonly Uint8Array[]): DumpStatus {
  const datagram = Buffer.concat(messages);
  dump.room().set(datagram);
  return dump.accept(datagram.length);
}

const ports = (dump: Dump) => decodeRows(dump).map(({ sourcePort }) => sourcePort);

test("a dump is complete with its last message, however its rows are spread over datagrams", () => {
  const arrangement = fc.array(fc.array(fc.record({ port: fc.nat(65_535), attribute: fc.nat(40) }), { maxLength: 20 }));
  const property = fc.property(arrangement, fc.boolean(), (datagrams, lastIsAlone) => {
    const dump = new Dump(SEQ);
    for (const [i, datagram] of datagrams.entries()) {
      const messages = datagram.map(({ port, attribute }) => row(port, { attribute }));
      const isLast = i === datagrams.length - 1 && !lastIsAlone;
      const status = receive(dump, ...messages, ...(isLast ? [done()] : []));
      expect(status).toEqual(isLast ? { kind: "done", interrupted: false } : { kind: "more" });
    }
    if (lastIsAlone) expect(receive(dump, done())).toEqual({ kind: "done", interrupted: false });
    expect(ports(dump)).toEqual(datagrams.flat().map(({ port }) => port));
  });
  fc.assert(property);
});

test("there is room for a datagram after any amount of rows, and none is lost between slabs", () => {
  const dump = new Dump(SEQ);
  const perDatagram = Math.floor((RECEIVE_ROOM / 2 - ROW) / row(0).length);
  const datagrams = 60;
  for (let i = 0; i < datagrams; i++) {
    expect(dump.room().length).toBeGreaterThanOrEqual(RECEIVE_ROOM);
    receive(dump, ...Array.from({ length: perDatagram }, (_, j) => row((i * perDatagram + j) % 65_536)));
  }
  expect(receive(dump, done()).kind).toBe("done");
  expect(dump.slabs.length).toBeGreaterThan(1);
  expect(ports(dump)).toEqual(Array.from({ length: datagrams * perDatagram }, (_, i) => i % 65_536));
});

test("an inconsistent dump is marked, whichever message says so", () => {
  const interrupted = { flags: NLM_F_MULTI | NLM_F_DUMP_INTR };
  const dumps: Buffer[][][] = [
    [[row(1, interrupted), row(2)], [row(3)], [done()]],
    [[row(1)], [row(2), row(3, interrupted)], [done()]],
    [[row(1), row(2), row(3)], [done(0, interrupted)]],
    [[row(1), row(2, interrupted), row(3), done()]],
  ];
  for (const datagrams of dumps) {
    const dump = new Dump(SEQ);
    const statuses = datagrams.map((datagram) => receive(dump, ...datagram));
    expect(statuses.at(-1)).toEqual({ kind: "done", interrupted: true });
    expect(ports(dump)).toEqual([1, 2, 3]);
  }
});

test("an error ends the dump as refused, and says where it is", () => {
  const refusal = message(NLMSG_ERROR, Buffer.concat([int(-1), Buffer.alloc(NLMSG_HEADER_LENGTH)]), { flags: 0 });
  expect(receive(new Dump(SEQ), refusal)).toEqual({ kind: "refused", offset: 0 });

  const later = new Dump(SEQ);
  receive(later, row(1));
  expect(receive(later, row(2), refusal)).toEqual({ kind: "refused", offset: 2 * row(0).length });
});

test("a last message with a negative status ends the dump as refused", () => {
  expect(receive(new Dump(SEQ), row(1), done(-105))).toEqual({ kind: "refused", offset: row(1).length });
});

test("a last message without a status ends the dump as complete", () => {
  const last = message(NLMSG_DONE, new Uint8Array());
  expect(receive(new Dump(SEQ), last)).toEqual({ kind: "done", interrupted: false });
});

test("an overrun is told from other ends, whatever its number", () => {
  for (const seq of [SEQ, 0]) {
    const overrun = message(NLMSG_OVERRUN, new Uint8Array(), { seq });
    expect(receive(new Dump(SEQ), row(1), overrun)).toEqual({ kind: "overrun" });
  }
});

test("a datagram that leaves off the padding of its last message does not shift those that follow", () => {
  const dump = new Dump(SEQ);
  const payload = Buffer.concat([row(1).subarray(NLMSG_HEADER_LENGTH, ROW), Buffer.of(0)]);
  const unpadded = message(SOCK_DIAG_BY_FAMILY, payload).subarray(0, ROW + 1);
  expect(receive(dump, unpadded)).toEqual({ kind: "more" });
  expect(receive(dump, row(2), done()).kind).toBe("done");
  const rows: number[] = [];
  eachRow(dump, (bytes, at) =>
    rows.push((bytes[at + INET_DIAG_MSG.sport]! << 8) | bytes[at + INET_DIAG_MSG.sport + 1]!),
  );
  expect(rows).toEqual([1, 2]);
});

test("messages that say nothing are passed over and are no rows", () => {
  const dump = new Dump(SEQ);
  expect(receive(dump, message(NLMSG_NOOP, new Uint8Array()), row(1), done()).kind).toBe("done");
  expect(ports(dump)).toEqual([1]);
});

test("an end that belongs to another request is malformed", () => {
  const other = { seq: SEQ + 1 };
  for (const last of [done(0, other), message(NLMSG_ERROR, int(0), other)]) {
    const at = row(1).length;
    expect(receive(new Dump(SEQ), row(1), last)).toEqual({ kind: "malformed", offset: at, need: SEQ, have: SEQ + 1 });
  }
});

test("a header that is cut off is malformed", () => {
  const at = row(1).length;
  const have = NLMSG_HEADER_LENGTH - 4;
  const status = receive(new Dump(SEQ), row(1), row(2).subarray(0, have));
  expect(status).toEqual({ kind: "malformed", offset: at, need: NLMSG_HEADER_LENGTH, have });
});

test("a message that is longer than its datagram or shorter than its header is malformed", () => {
  const cut = row(1).subarray(0, -4);
  expect(receive(new Dump(SEQ), cut)).toEqual({ kind: "malformed", offset: 0, need: row(1).length, have: cut.length });
  for (const length of [0, NLMSG_HEADER_LENGTH - 1]) {
    const short = row(1);
    short.writeUInt32LE(length);
    const status = receive(new Dump(SEQ), short);
    expect(status).toEqual({ kind: "malformed", offset: 0, need: NLMSG_HEADER_LENGTH, have: short.length });
  }
});

test("a row that is shorter than a socket is malformed", () => {
  const short = message(SOCK_DIAG_BY_FAMILY, new Uint8Array(INET_DIAG_MSG_LENGTH - 1));
  expect(receive(new Dump(SEQ), row(1), short)).toEqual({
    kind: "malformed",
    offset: row(1).length,
    need: ROW,
    have: ROW - 1,
  });
});

test("whatever bytes come, a dump neither throws nor lets a row pass that a reader would stumble over", () => {
  const damaged = fc
    .tuple(fc.array(fc.nat(65_535), { minLength: 1, maxLength: 5 }), fc.array(fc.tuple(fc.nat(), fc.nat(255))))
    .map(([numbers, damages]) => {
      const bytes = Buffer.concat(numbers.map((port) => row(port)));
      for (const [at, value] of damages) bytes[at % bytes.length] = value;
      return bytes;
    });
  const property = fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 400 })), (bytes) => {
    const dump = new Dump(SEQ);
    const { kind } = receive(dump, bytes);
    eachRow(dump, (_, at, end) => {
      expect(end - at).toBeGreaterThanOrEqual(INET_DIAG_MSG_LENGTH);
      expect(end).toBeLessThanOrEqual(bytes.length);
    });
    if (kind !== "more" && kind !== "done") expect(dump.slabs[0]!.length).toBe(0);
  });
  fc.assert(property, { numRuns: 1000 });
});
