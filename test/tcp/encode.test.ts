/** A connection is plain data: it can be copied at any moment, and its bytes stand for it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seqAdd } from "../../src/codec/seq.ts";
import { encodeTcp } from "../../src/codec/tcp.ts";
import * as tcp from "../../src/tcp/index.ts";
import { generator } from "../support/random.ts";
import { anyPair } from "./any-pair.ts";
import { Pair, type PairOptions } from "./pair.ts";
import { MS, pattern, socketInEstablished } from "./socket.ts";

describe("a connection is plain data", () => {
  test("copied in the middle of it all, by whatever way, it goes on as if nothing had been", () => {
    const run = (given: PairOptions, replace: (connection: tcp.Connection) => tcp.Connection) => {
      const pair = new Pair(given);
      pair.logs = true;
      const chance = generator(3);
      pair.drive(() => {
        for (const end of pair.ends) if (chance() < 0.3) end.connection = replace(end.connection);
        return pair.nowUs > 20_000 * MS;
      });
      return pair.log;
    };
    fc.assert(
      fc.property(anyPair, (given) => {
        const plain = run(given, (connection) => connection);
        const copied = run(given, (connection) => {
          const copy = tcp.copyConnection(connection);
          // Whoever goes on with the original does not touch the copy.
          tcp.abort(connection, 0);
          return copy;
        });
        expect(copied).toEqual(plain);
        expect(run(given, (connection) => structuredClone(connection))).toEqual(plain);
      }),
      { numRuns: 25 },
    );
  });

  test("encoding changes nothing, and a copy has the same bytes", () => {
    const pair = new Pair({
      client: { sends: 9000 },
      server: { sends: 500 },
      settings: { timestamps: true, receiveBuffer: 3000 },
      faults: { seed: 5, loss: 0.2, duplication: 0.2, delayUs: [1 * MS, 50 * MS] },
    });
    pair.drive(() => {
      for (const { connection } of pair.ends) {
        const before = structuredClone(connection);
        const bytes = tcp.encodeConnection(connection, pair.nowUs);
        expect(connection).toEqual(before);
        expect(tcp.encodeConnection(before, pair.nowUs)).toEqual(bytes);
      }
      return false;
    });
  });

  test("how long the way takes leaves no trace where the retransmission timeout is always the same", () => {
    const { connection } = socketInEstablished();
    const bytes = (rtoMaxUs: number, srttUs: number | null) => {
      const profile = { ...tcp.LINUX, rtoMinUs: 1000 * MS, rtoMaxUs };
      const settings = { ...connection.settings, profile };
      return tcp.encodeConnection({ ...connection, settings, srttUs, rttvarUs: 5 * MS, timedSeq: null }, 0);
    };
    expect(bytes(1000 * MS, 10 * MS)).toEqual(bytes(1000 * MS, 90 * MS));
    expect(bytes(1000 * MS, 10 * MS)).not.toEqual(bytes(1000 * MS, null));
    expect(bytes(1001 * MS, 10 * MS)).not.toEqual(bytes(1001 * MS, 90 * MS));
  });

  test("a shift of all times by whole milliseconds leaves no trace", () => {
    const encodings = (shiftUs: number) => {
      const pair = new Pair({ client: { sends: 3000 }, server: { sends: 100 } });
      pair.nowUs = shiftUs;
      const all: string[] = [];
      pair.drive(() => {
        for (const { connection } of pair.ends)
          all.push(Buffer.from(tcp.encodeConnection(connection, pair.nowUs)).toString("hex"));
        return false;
      });
      return all;
    };
    expect(encodings(123_456 * MS)).toEqual(encodings(0));
  });

  test("how data lie in pieces leaves no trace", () => {
    const make = (cuts: readonly number[]) => {
      const connection = tcp.connect(tcp.settingsOf({ localPort: 1, remotePort: 2 }), 5 as never);
      for (const [i, cut] of [0, ...cuts].entries())
        tcp.send(connection, pattern(cut, ([...cuts, 100][i] ?? 100) - cut));
      return connection;
    };
    expect(tcp.encodeConnection(make([10, 50]), 0)).toEqual(tcp.encodeConnection(make([]), 0));
    expect(tcp.encodeConnection(make([10, 50]), 0)).not.toEqual(tcp.encodeConnection(make([101]), 0));
  });

  test("what has the same bytes behaves the same: whatever arrives and however long it takes", () => {
    // The same small story under many networks: many ways lead to the same state.
    const seen = new Map<string, { connection: tcp.Connection; nowUs: number }>();
    let compared = 0;
    for (let run = 0; run < 60; run++) {
      const pair = new Pair({
        client: { sends: 3 },
        server: { sends: 2, readsAtMost: 1 + (run % 2) },
        settings: { mss: 48, noDelay: true, profile: run % 2 ? tcp.RFC9293 : tcp.LINUX, timeWaitUs: 1000 * MS },
        faults: { seed: 9, loss: run % 3 ? 0 : 0.1, delayUs: [MS, MS * (1 + (run % 5))] },
      });
      pair.nowUs = run * 17 * MS;
      pair.drive(() => {
        for (const { connection } of pair.ends) {
          const key = `${run % 2} ${Buffer.from(tcp.encodeConnection(connection, pair.nowUs)).toString("hex")}`;
          const other = seen.get(key);
          if (!other) {
            seen.set(key, { connection: tcp.copyConnection(connection), nowUs: pair.nowUs });
          } else if (compared < 3000) {
            compared++;
            const one = future(tcp.copyConnection(connection), pair.nowUs, compared);
            expect(one).toEqual(future(tcp.copyConnection(other.connection), other.nowUs, compared));
          }
        }
        return false;
      });
    }
    expect(compared).toBeGreaterThan(500);
  });

  test("every field counts: no two connections that differ in one have the same bytes", () => {
    const base = busy();
    const bytes = Buffer.from(tcp.encodeConnection(base, 0)).toString("hex");
    const same = Object.keys(base).filter((field) => {
      const changed = { ...base, [field]: other(base[field as keyof tcp.Connection]) } as tcp.Connection;
      return Buffer.from(tcp.encodeConnection(changed, 0)).toString("hex") === bytes;
    });
    // Settings are compared by whoever has them; the lengths of queues follow from the queues.
    expect(same).toEqual(["settings"]);
  });
});

/** What a connection does from now on, if this and that happens: times count from now. */
function future(connection: tcp.Connection, nowUs: number, seed: number): string[] {
  const random = generator(seed);
  const log: string[] = [];
  let now = nowUs;
  for (let i = 0; i < 12; i++) {
    if (random() < 0.5) {
      now = Math.max(now, tcp.pollTimeout(connection) ?? now);
      tcp.handleTimeout(connection, now);
    } else {
      tcp.handleSegment(connection, now, {
        sourcePort: connection.remotePort,
        destinationPort: connection.settings.localPort,
        seq: seqAdd(connection.rcvNxt, Math.floor(random() * 5) - 2),
        ack: seqAdd(connection.sndNxt, Math.floor(random() * 3) - 1),
        flags: [0x10, 0x10, 0x11, 0x18, 0x02, 0x04, 0x12][Math.floor(random() * 7)]!,
        window: Math.floor(random() * 3) * 500,
        urgent: 0,
        options: [],
        payload: new Uint8Array(Math.floor(random() * 3)),
      });
    }
    for (let segment; (segment = tcp.pollTransmit(connection, now));) {
      log.push(`${now - nowUs} ${Buffer.from(encodeTcp(segment)).toString("hex")}`);
    }
    log.push(`${now - nowUs} ${connection.state} ${connection.receiveLength} ${connection.error}`);
  }
  return log;
}

/** A connection in which every timer runs and every queue has something in it. */
function busy(): tcp.Connection {
  const socket = socketInEstablished({ timestamps: true });
  const connection = tcp.copyConnection(socket.connection);
  return Object.assign(connection, {
    state: "ESTABLISHED",
    sendQueue: [pattern(0, 50)],
    sendLength: 50,
    sndNxt: seqAdd(connection.sndNxt, 40),
    resend: seqAdd(connection.sndUna, 5),
    resendEnd: seqAdd(connection.sndUna, 9),
    finSeq: seqAdd(connection.sndUna, 50),
    smallEnd: seqAdd(connection.sndUna, 40),
    receiveQueue: [pattern(0, 5)],
    receiveLength: 5,
    outOfOrder: [{ seq: seqAdd(connection.rcvNxt, 3), bytes: pattern(3, 4) }],
    peerFin: seqAdd(connection.rcvNxt, 20),
    tsRecent: 77,
    timedSeq: seqAdd(connection.sndUna, 40),
    srttUs: 1000,
    recover: seqAdd(connection.sndUna, 40),
    replies: [{ ...socket.sent[0]! }],
    challengesSinceUs: -1000,
    lastReceivedAtUs: -1000,
    retransmitAtUs: 5000,
    persistAtUs: 5000,
    delayedAckAtUs: 5000,
    expireAtUs: 5000,
    events: ["data"],
  } satisfies Partial<tcp.Connection>);
}

/** A value of the same kind that is another. */
function other(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) return [];
  if (value === "ESTABLISHED") return "CLOSE-WAIT";
  return value === null ? "reset" : value;
}
