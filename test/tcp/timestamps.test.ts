/** Timestamps and what they protect from (RFC 7323). */
import { describe, expect, test } from "vitest";
import { LINUX, RFC9293 } from "../../src/tcp/index.ts";
import { MS, S, socketInSynReceived, socketInSynSent, type Given } from "./socket.ts";

describe("timestamps (RFC 7323)", () => {
  const stamp = (value: number, echo = 0) => ({ kind: "timestamps", value, echo }) as const;
  const stamped = (given: Given = {}) => {
    const socket = socketInSynReceived({ ...given, timestamps: true }, stamp(700));
    socket.arrives(". 1:1(0) ack 1", stamp(700, 5000));
    return socket;
  };

  test("section 3.2: every segment has one, and echoes the last that was in turn", () => {
    const socket = stamped();
    socket.arrives("P. 1:11(10) ack 1", stamp(710));
    socket.send(5);
    expect(socket.sent.at(-1)!.options.at(-1)).toEqual(stamp(5000, 710));
  });

  test("section 5.3 R1: an older one is answered by an ACK and dropped", () => {
    const socket = stamped();
    expect(socket.arrives("P. 1:11(10) ack 1", stamp(699))).toEqual([". 1:1(0) ack 1"]);
    expect(socket.reads()).toBe(0);
  });

  test("section 5.3: an equal one is taken", () => {
    const socket = stamped();
    socket.arrives("P. 1:11(10) ack 1", stamp(700));
    expect(socket.reads()).toBe(10);
  });

  test("section 5.2: a RST is taken whatever its timestamp", () => {
    const socket = stamped();
    socket.arrives("R 1:1(0)", stamp(1));
    expect(socket.connection.error).toBe("reset");
  });

  test("section 5.2: what a RST's timestamp says is not remembered", () => {
    const socket = stamped();
    expect(socket.arrives("R 11:11(0)", stamp(900))).toEqual([". 1:1(0) ack 1"]);
    expect(socket.connection.tsRecent).toBe(700);
  });

  test("section 3.2: the RST of an ABORT has one too; without an ACK it echoes nothing", () => {
    for (const [profile, echo] of [
      [RFC9293, 0],
      [LINUX, 700],
    ] as const) {
      const socket = stamped({ profile });
      socket.abort();
      expect(socket.sent.at(-1)!.options.at(-1)).toEqual(stamp(5000, echo));
    }
  });

  test("RFC 5961 section 4.2: a SYN without one is no reason to be silent", () => {
    const socket = stamped();
    expect(socket.arrives("S 500:500(0)")).toEqual([". 1:1(0) ack 1"]);
  });

  test("section 3.2: without an ACK the echo says nothing", () => {
    const socket = socketInSynReceived({ timestamps: true }, stamp(700, 4000));
    expect(socket.connection.srttUs).toBeNull();
  });

  test("section 5.5: after 24 days without a segment any is taken", () => {
    const socket = stamped();
    socket.passes(25 * 86_400 * S);
    socket.arrives("P. 1:11(10) ack 1", stamp(1));
    expect(socket.reads()).toBe(10);
  });

  test("section 3.2: one without is dropped, and the connection stands", () => {
    const socket = stamped();
    expect(socket.arrives("P. 1:11(10) ack 1")).toEqual([]);
    expect([socket.reads(), socket.state, socket.connection.error]).toEqual([0, "ESTABLISHED", null]);
    socket.arrives("P. 1:11(10) ack 1", stamp(710));
    expect(socket.reads()).toBe(10);
  });

  test("section 3.2: a SYN offers them and echoes nothing; the SYN,ACK echoes the SYN's", () => {
    const active = socketInSynSent({ timestamps: true });
    expect(active.sent[0]!.options.at(-1)).toEqual(stamp(5000, 0));
    expect(stamped().sent[0]!.options.at(-1)).toEqual(stamp(5000, 700));
  });

  test("section 3.2: not agreed on, none is sent, and one that comes says nothing", () => {
    const socket = socketInSynReceived({ timestamps: true });
    socket.arrives(". 1:1(0) ack 1", stamp(700));
    socket.arrives("P. 1:11(10) ack 1", stamp(1));
    expect(socket.reads()).toBe(10);
    socket.send(5);
    expect(socket.sent.at(-1)!.options).toEqual([]);
  });

  test("section 3.2: once agreed on, every segment has one: data, ACK, FIN, and each once more", () => {
    const socket = stamped();
    socket.arrives("P. 1:11(10) ack 1", stamp(710));
    socket.passes(1 * S);
    socket.send(5);
    socket.shutdown();
    socket.passes(9 * S);
    expect(socket.sent.length).toBeGreaterThan(5);
    for (const { options } of socket.sent) expect(options.map(({ kind }) => kind)).toContain("timestamps");
  });

  test("section 5.3 R1: an old FIN closes nothing, an old ACK acknowledges nothing", () => {
    const socket = stamped();
    socket.send(5);
    expect(socket.arrives("F. 1:1(0) ack 6", stamp(699))).toEqual([". 6:6(0) ack 1"]);
    expect([socket.state, socket.connection.sendLength]).toEqual(["ESTABLISHED", 5]);
  });

  test("section 5.3 R3: what ends the connection counts for the echo too", () => {
    const socket = stamped();
    socket.arrives("F. 1:1(0) ack 1", stamp(720));
    expect(socket.sent.at(-1)!.options.at(-1)).toEqual(stamp(5000, 720));
  });

  test("section 4.3: what is ahead of its turn does not count for the echo", () => {
    const socket = stamped();
    socket.arrives("P. 11:21(10) ack 1", stamp(750));
    expect(socket.connection.tsRecent).toBe(700);
  });

  test("section 4.1: the echo gives the round-trip time, also of what was sent again", () => {
    const socket = stamped();
    socket.send(5);
    socket.passes(3 * S);
    socket.arrives(". 1:1(0) ack 6", stamp(720, 5000));
    expect(socket.connection.srttUs).toBe(375 * MS);
  });
});
