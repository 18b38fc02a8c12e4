/** TIME-WAIT: how long, what it answers, and what ends it early (RFC 9293 section 3.6.1, RFC 1337, RFC 6191). */
import { describe, expect, test } from "vitest";
import { seqDiff } from "../../src/codec/seq.ts";
import type { TcpSegment } from "../../src/codec/tcp.ts";
import { reopensWith, yieldsTo } from "../../src/tcp/index.ts";
import {
  LOCAL_ISS,
  S,
  sentUpTo,
  socketInFinWait2,
  socketInSynReceived,
  socketInTimeWait,
  type Socket,
} from "./socket.ts";

const MSL_TWICE = 240 * S;

describe("TIME-WAIT", () => {
  test("MUST-13: it lasts two MSL, and then the connection is CLOSED", () => {
    const socket = socketInTimeWait();
    socket.passes(MSL_TWICE - 1);
    expect(socket.state).toBe("TIME-WAIT");
    socket.passes(1);
    expect(socket.state).toBe("CLOSED");
  });

  test("the peer's FIN once more is acknowledged, and it begins again", () => {
    const socket = socketInTimeWait();
    socket.passes(200 * S);
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual([". 2:2(0) ack 2"]);
    socket.passes(200 * S);
    expect(socket.state).toBe("TIME-WAIT");
    socket.passes(40 * S);
    expect(socket.state).toBe("CLOSED");
  });

  test("it lasts as long as one says", () => {
    const socket = socketInTimeWait({ timeWaitUs: 3 * S });
    socket.passes(3 * S);
    expect(socket.state).toBe("CLOSED");
  });

  test("none at all: the last ACK goes, and nothing is left that would send another", () => {
    const socket = socketInFinWait2({ timeWaitUs: 0 });
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("CLOSED");
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual(["R 2:2(0)"]);
  });

  test("RFC 1337: a RST ends it", () => {
    const socket = socketInTimeWait();
    socket.arrives("R 2:2(0)");
    expect(socket.state).toBe("CLOSED");
    expect(socket.connection.error).toBeNull();
  });

  test("RFC 1337 F1: with the fix it does not", () => {
    const socket = socketInTimeWait({ rfc1337: true });
    socket.arrives("R 2:2(0)");
    expect(socket.state).toBe("TIME-WAIT");
  });

  test("RFC 1337: an old duplicate draws an ACK", () => {
    expect(socketInTimeWait().arrives("P. -20:-10(10) ack 1")).toEqual([". 2:2(0) ack 2"]);
  });
});

describe("a SYN in TIME-WAIT (RFC 6191)", () => {
  const stamp = (value: number) => ({ kind: "timestamps", value, echo: 0 }) as const;
  const isn = (socket: Socket, from: number, options: TcpSegment["options"] = [], flags = 2) => {
    const seq = (socket.connection.irs + from) >>> 0;
    const segment = { ...socket.sent[0]!, seq, flags, options } as TcpSegment;
    const number = reopensWith(socket.connection, socket.nowUs, segment);
    return number === undefined ? undefined : seqDiff(number, LOCAL_ISS);
  };
  const stamped = () => {
    const socket = socketInSynReceived({ timestamps: true }, stamp(700));
    socket.arrives(". 1:1(0) ack 1", stamp(700));
    socket.shutdown();
    socket.arrives("F. 1:1(0) ack 2", stamp(710));
    return socket;
  };

  test("MAY-2: with a higher number it is accepted, and the new numbers begin above the old", () => {
    const socket = socketInTimeWait();
    expect(isn(socket, 100)).toBe(sentUpTo(socket) + 65_537);
    expect(isn(socket, 2)).toBeUndefined();
    expect(isn(socket, -100)).toBeUndefined();
  });

  test("with a newer timestamp whatever its number; with an equal one by its number; with an older never", () => {
    const socket = stamped();
    expect(isn(socket, -100, [stamp(711)])).toBeDefined();
    expect(isn(socket, 100, [stamp(710)])).toBeDefined();
    expect(isn(socket, -100, [stamp(710)])).toBeUndefined();
    expect(isn(socket, 100, [stamp(709)])).toBeUndefined();
  });

  test("without a timestamp by its number", () => {
    expect(isn(stamped(), 100)).toBeDefined();
    expect(isn(stamped(), -100)).toBeUndefined();
  });

  test("where the old connection had no timestamps and the new one will, it is accepted", () => {
    const socket = socketInTimeWait({ timestamps: true });
    expect(isn(socket, -100, [stamp(1)])).toBeDefined();
  });

  test("only a plain SYN, only in TIME-WAIT", () => {
    expect(isn(socketInTimeWait(), 100, [], 0x12)).toBeUndefined();
    expect(isn(socketInTimeWait(), 100, [], 0x06)).toBeUndefined();
    expect(isn(socketInFinWait2(), 100)).toBeUndefined();
  });

  test("what RFC 6191 would have dropped silently draws RFC 9293's challenge ACK, and TIME-WAIT goes on", () => {
    const socket = stamped();
    const { expireAtUs } = socket.connection;
    for (const [text, value] of [
      ["S -100:-100(0)", 710],
      ["S 100:100(0)", 709],
    ] as const) {
      expect(socket.arrives(text, stamp(value))).toEqual([". 2:2(0) ack 2"]);
    }
    expect(socket.connection).toMatchObject({ state: "TIME-WAIT", tsRecent: 710, expireAtUs });
  });

  test("where nobody listens it is answered as RFC 5961 has it", () => {
    expect(socketInTimeWait().arrives("S 100:100(0)")).toEqual([". 2:2(0) ack 2"]);
  });

  test("RFC 7323 appendix B.2: our own next connection may take its place if timestamps tell them apart, after a second", () => {
    const socket = stamped();
    expect(yieldsTo(socket.connection, socket.nowUs)).toBeUndefined();
    socket.passes(1 * S + 1);
    expect(yieldsTo(socket.connection, socket.nowUs)).toBeDefined();
    const plain = socketInTimeWait();
    plain.passes(10 * S);
    expect(yieldsTo(plain.connection, plain.nowUs)).toBeUndefined();
  });
});
