import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seq } from "../../src/codec/seq.ts";
import { RelativeNumbering, type RelativeNumbers } from "../../src/codec/numbering.ts";
import { relativeNumbers } from "../../src/trace/relative.ts";
import { recordOf, type SegmentWords } from "../support/packets.ts";
import { TraceBuilder } from "../support/trace-builder.ts";

/** The relative numbers of segments in the order in which they were sent. */
function numbersOf(segments: readonly SegmentWords[]): RelativeNumbers[] {
  const numbering = new RelativeNumbering();
  return segments.map((words) => numbering.number(recordOf(words)));
}

const client = (flags: SegmentWords["flags"], seq: number, ack = 0, data = ""): SegmentWords => ({
  from: "client",
  flags,
  seq,
  ack,
  data,
});
const server = (flags: SegmentWords["flags"], seq: number, ack = 0, data = ""): SegmentWords => ({
  from: "server",
  flags,
  seq,
  ack,
  data,
});

describe("a connection", () => {
  test("begins at 0 in both directions, and its data at 1", () => {
    expect(
      numbersOf([
        client(["SYN"], 1000),
        server(["SYN", "ACK"], 5000, 1001),
        client(["ACK"], 1001, 5001),
        client(["PSH", "ACK"], 1001, 5001, "hello"),
        server(["ACK"], 5001, 1006),
        server(["FIN", "ACK"], 5001, 1006),
        client(["RST"], 1006),
      ]),
    ).toEqual([
      { seq: 0, incarnation: 1 },
      { seq: 0, ack: 1, incarnation: 1 },
      { seq: 1, ack: 1, incarnation: 1 },
      { seq: 1, ack: 1, incarnation: 1 },
      { seq: 1, ack: 6, incarnation: 1 },
      { seq: 1, ack: 6, incarnation: 1 },
      { seq: 6, incarnation: 1 },
    ]);
  });

  test("counts on where its numbers wrap", () => {
    expect(
      numbersOf([
        client(["SYN"], 0xffffffff),
        server(["SYN", "ACK"], 0xfffffffe, 0),
        client(["ACK"], 0, 0xffffffff, "ab"),
        server(["ACK"], 0xffffffff, 2, "cd"),
        client(["ACK"], 2, 1),
      ]),
    ).toEqual([
      { seq: 0, incarnation: 1 },
      { seq: 0, ack: 1, incarnation: 1 },
      { seq: 1, ack: 1, incarnation: 1 },
      { seq: 1, ack: 3, incarnation: 1 },
      { seq: 3, ack: 3, incarnation: 1 },
    ]);
  });

  test("is the same one when its SYN is sent again, and when both ends send a SYN", () => {
    expect(numbersOf([client(["SYN"], 1000), client(["SYN"], 1000)])).toEqual([
      { seq: 0, incarnation: 1 },
      { seq: 0, incarnation: 1 },
    ]);
    expect(
      numbersOf([
        client(["SYN"], 1000),
        server(["SYN"], 5000),
        client(["SYN", "ACK"], 1000, 5001),
        server(["SYN", "ACK"], 5000, 1001),
      ]),
    ).toEqual([
      { seq: 0, incarnation: 1 },
      { seq: 0, incarnation: 1 },
      { seq: 0, ack: 1, incarnation: 1 },
      { seq: 0, ack: 1, incarnation: 1 },
    ]);
  });

  test("that is refused is answered by number 1", () => {
    expect(numbersOf([client(["SYN"], 1000), server(["RST", "ACK"], 0, 1001)])).toEqual([
      { seq: 0, incarnation: 1 },
      { seq: 1, ack: 1, incarnation: 1 },
    ]);
  });

  test("that was there before the trace is numbered from its first segment on", () => {
    expect(
      numbersOf([client(["ACK"], 1000, 5000, "ab"), server(["ACK"], 5000, 1002), client(["ACK"], 1002, 5000)]),
    ).toEqual([
      { seq: 1, ack: 5000, incarnation: 1 }, // nothing is known of the server's numbers yet
      { seq: 1, ack: 3, incarnation: 1 },
      { seq: 3, ack: 1, incarnation: 1 },
    ]);
  });
});

describe("the next connection between the same two endpoints", () => {
  const FIRST = [client(["SYN"], 1000), server(["SYN", "ACK"], 5000, 1001), client(["ACK"], 1001, 5001)];

  test("begins at 0 again", () => {
    expect(
      numbersOf([
        ...FIRST,
        client(["SYN"], 900_000),
        server(["SYN", "ACK"], 700_000, 900_001),
        client(["ACK"], 900_001, 700_001),
      ]).slice(3),
    ).toEqual([
      { seq: 0, incarnation: 2 },
      { seq: 0, ack: 1, incarnation: 2 },
      { seq: 1, ack: 1, incarnation: 2 },
    ]);
  });

  test("gives an old duplicate a number from before its time", () => {
    expect(numbersOf([...FIRST, client(["SYN"], 900_000), client(["ACK"], 1001, 5001)]).at(-1)).toMatchObject({
      seq: 1001 - 900_000,
      incarnation: 2,
    });
  });

  test("is not what a host still acknowledges that has not got over the last", () => {
    // A SYN that comes while the server is in LAST-ACK or TIME-WAIT: it answers with the numbers that it expects.
    expect(numbersOf([...FIRST, client(["SYN"], 900_000), server(["ACK"], 5001, 1001)]).at(-1)).toEqual({
      seq: 1,
      ack: 1,
      incarnation: 1,
    });
  });
});

test("endpoints are told apart by address and by port", () => {
  const numbering = new RelativeNumbering();
  const one = recordOf(client(["SYN"], 1000));
  numbering.number(one);
  const others = [
    { ...one, source: { ...one.source, port: 40_001 } },
    { ...one, source: { ...one.source, address: "10.9.0.3" } },
    { ...one, destination: { ...one.destination, port: 8001 } },
  ];
  for (const other of others) {
    expect(numbering.number({ ...other, seq: 77 })).toEqual({ seq: 0, incarnation: 1 });
  }
});

test("of a trace, every segment that was sent has its numbers, whatever became of it", () => {
  const t = new TraceBuilder();
  const lost = t.sent(recordOf(client(["SYN"], 1000)));
  t.fate(lost, "dropped");
  t.fate(lost, "modified", { packet: recordOf(client(["SYN"], 3000)) });
  t.exchanged(1000, client(["SYN"], 1000));
  expect([...relativeNumbers(t.events)]).toEqual([
    [1, { seq: 0, incarnation: 1 }],
    [2, { seq: 0, incarnation: 1 }],
  ]);
});

test("the numbers do not depend on where a connection begins", () => {
  const number = fc.nat(0xffffffff);
  fc.assert(
    fc.property(number, number, (one, other) => {
      const at = (base: number, count: number) => seq(base + count);
      const told = numbersOf([
        client(["SYN"], one),
        server(["SYN", "ACK"], other, at(one, 1)),
        client(["ACK"], at(one, 1), at(other, 1), "abc"),
        server(["ACK"], at(other, 1), at(one, 4)),
      ]);
      expect(told.map(({ seq, ack }) => [seq, ack])).toEqual([
        [0, undefined],
        [0, 1],
        [1, 1],
        [1, 4],
      ]);
    }),
  );
});
