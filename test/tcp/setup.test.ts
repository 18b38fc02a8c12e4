/** How a connection begins: LISTEN, SYN-SENT, SYN-RECEIVED. */
import { describe, expect, test } from "vitest";
import { seq } from "../../src/codec/seq.ts";
import * as tcp from "../../src/tcp/index.ts";
import {
  LOCAL_ISS,
  S,
  Socket,
  socketInEstablished,
  socketInListen,
  socketInSynReceived,
  socketInSynSent,
} from "./socket.ts";

describe("LISTEN", () => {
  test("a SYN is answered by a SYN,ACK", () => {
    const socket = socketInListen();
    expect(socket.arrives("S 0:0(0)")).toEqual(["S. 0:0(0) ack 1"]);
    expect(socket.state).toBe("SYN-RECEIVED");
  });

  test("a RST is ignored", () => {
    const socket = socketInListen();
    expect(socket.arrives("R 0:0(0)")).toEqual([]);
    expect(socket.state).toBe("LISTEN");
  });

  test("an ACK is answered by a RST, with or without SYN", () => {
    const socket = socketInListen();
    expect(socket.arrives(". 0:0(0) ack 77")).toEqual(["R 77:77(0)"]);
    expect(socket.arrives("S. 0:0(0) ack 77")).toEqual(["R 77:77(0)"]);
    expect(socket.state).toBe("LISTEN");
  });

  test("what is neither SYN, RST nor ACK is dropped", () => {
    const socket = socketInListen();
    expect(socket.arrives("F 0:0(0)")).toEqual([]);
    expect(socket.state).toBe("LISTEN");
  });

  test("data on a SYN are not acknowledged: they come again", () => {
    expect(socketInListen().arrives("S 0:5(5)")).toEqual(["S. 0:0(0) ack 1"]);
  });

  test("a listener that is closed is CLOSED, without a word", () => {
    const socket = socketInListen();
    expect(socket.close()).toEqual([]);
    expect(socket.state).toBe("CLOSED");
  });
});

describe("SYN-SENT", () => {
  test("a SYN,ACK is acknowledged: ESTABLISHED", () => {
    const socket = socketInSynSent();
    expect(socket.arrives("S. 0:0(0) ack 1")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.state).toBe("ESTABLISHED");
    expect(socket.events()).toEqual(["connected"]);
  });

  test("the ACK rides on data that wait", () => {
    const socket = socketInSynSent();
    expect(socket.send(5)).toEqual([]);
    expect(socket.arrives("S. 0:0(0) ack 1")).toEqual(["P. 1:6(5) ack 1"]);
  });

  test.each([0, 2, -5])("an ACK of %i, which was never sent, is answered by a RST", (ack) => {
    const socket = socketInSynSent();
    expect(socket.arrives(`S. 0:0(0) ack ${ack}`)).toEqual([`R ${ack}:${ack}(0)`]);
    expect(socket.arrives(`. 0:0(0) ack ${ack}`)).toEqual([`R ${ack}:${ack}(0)`]);
    expect(socket.arrives(`R. 0:0(0) ack ${ack}`)).toEqual([]);
    expect(socket.state).toBe("SYN-SENT");
  });

  test("a RST that acknowledges the SYN refuses the connection", () => {
    const socket = socketInSynSent();
    expect(socket.arrives("R. 0:0(0) ack 1")).toEqual([]);
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "refused" } });
    expect(socket.events()).toEqual(["error", "closed"]);
  });

  test("a RST that acknowledges nothing is ignored", () => {
    const socket = socketInSynSent();
    expect(socket.arrives("R 0:0(0)")).toEqual([]);
    expect(socket.state).toBe("SYN-SENT");
  });

  test("an ACK alone, of the SYN, is dropped", () => {
    const socket = socketInSynSent();
    expect(socket.arrives(". 0:0(0) ack 1")).toEqual([]);
    expect(socket.state).toBe("SYN-SENT");
  });

  test("MUST-10: both open at once, and get one connection (figure 7)", () => {
    const socket = socketInSynSent();
    expect(socket.arrives("S 0:0(0)")).toEqual(["S. 0:0(0) ack 1"]);
    expect(socket.state).toBe("SYN-RECEIVED");
    expect(socket.arrives("S. 0:0(0) ack 1")).toEqual([]);
    expect(socket.state).toBe("ESTABLISHED");
  });

  test("a SYN is sent again, for three minutes (MUST-23), and then the user is told", () => {
    const socket = new Socket(tcp.connect(tcp.settingsOf({ localPort: 1, remotePort: 2 }), LOCAL_ISS));
    expect(socket.sends()).toEqual(["S 0:0(0)"]);
    expect(socket.passes(180 * S).length).toBeGreaterThanOrEqual(6);
    expect(socket.state).toBe("SYN-SENT");
    socket.passes(120 * S);
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "timeout" } });
  });

  test("closing it deletes it", () => {
    const socket = socketInSynSent();
    expect(socket.close()).toEqual([]);
    expect(socket.state).toBe("CLOSED");
  });

  test("RFC 6298 rule 5.7: after a lost SYN data wait 3 seconds for their ACK", () => {
    const socket = socketInSynSent();
    socket.passes(1 * S);
    socket.arrives("S. 0:0(0) ack 1");
    socket.send(5);
    expect(socket.passes(3 * S - 1)).toEqual([]);
    expect(socket.passes(1)).toEqual(["P. 1:6(5) ack 1"]);
  });
});

describe("SYN-RECEIVED", () => {
  test("the ACK of the SYN establishes the connection", () => {
    const socket = socketInSynReceived();
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual([]);
    expect(socket.state).toBe("ESTABLISHED");
  });

  test("data may come with it", () => {
    const socket = socketInSynReceived();
    socket.arrives("P. 1:11(10) ack 1");
    expect(socket.reads()).toBe(10);
  });

  test("a FIN may come with it", () => {
    const socket = socketInSynReceived();
    expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([". 1:1(0) ack 2"]);
    expect(socket.state).toBe("CLOSE-WAIT");
  });

  test.each([0, 2])("an ACK of %i is answered by a RST", (ack) => {
    const socket = socketInSynReceived();
    expect(socket.arrives(`. 1:1(0) ack ${ack}`)).toEqual([`R ${ack}:${ack}(0)`]);
    expect(socket.state).toBe("SYN-RECEIVED");
  });

  test("MUST-11: a RST takes a passive one back to LISTEN, where the next SYN is welcome", () => {
    const socket = socketInSynReceived();
    expect(socket.arrives("R 1:1(0)")).toEqual([]);
    expect(socket.state).toBe("LISTEN");
    expect(socket.arrives("S 0:0(0)")).toEqual(["S. 0:0(0) ack 1"]);
  });

  test("MUST-11: a RST refuses an active one", () => {
    const socket = socketInSynSent();
    socket.arrives("S 0:0(0)");
    socket.arrives("R 1:1(0)");
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "refused" } });
  });

  test("the SYN,ACK is sent again", () => {
    expect(socketInSynReceived().passes(3 * S)).toEqual(["S. 0:0(0) ack 1", "S. 0:0(0) ack 1"]);
  });

  test("the SYN once more draws an ACK", () => {
    expect(socketInSynReceived().arrives("S 0:0(0)")).toEqual([". 1:1(0) ack 1"]);
  });

  test("another SYN takes a passive one back to LISTEN", () => {
    const socket = socketInSynReceived();
    socket.arrives("S 5:5(0)");
    expect(socket.state).toBe("LISTEN");
  });

  test("closed without data, it sends its FIN at once; what the peer then says is answered in order", () => {
    const socket = socketInSynReceived();
    expect(socket.shutdown()).toEqual(["F. 1:1(0) ack 1"]);
    expect(socket.state).toBe("FIN-WAIT-1");
    expect(socket.passes(1 * S)).toEqual(["S. 0:0(0) ack 1"]);
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual(["F. 1:1(0) ack 1"]);
    socket.arrives(". 1:1(0) ack 2");
    expect(socket.state).toBe("FIN-WAIT-2");
  });

  test("closed with data waiting, the FIN follows them when the connection stands", () => {
    const socket = socketInSynReceived();
    socket.send(5);
    expect(socket.shutdown()).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual(["FP. 1:6(5) ack 1"]);
    expect(socket.state).toBe("FIN-WAIT-1");
  });
});

describe("what a SYN agrees on", () => {
  const scale = { kind: "windowScale", shift: 3 } as const;
  const stamp = { kind: "timestamps", value: 700, echo: 0 } as const;

  test("MUST-15: a peer that does not say its MSS gets 536 bytes a segment", () => {
    const socket = socketInListen();
    socket.arrives("S 0:0(0)");
    socket.arrives(". 1:1(0) ack 1");
    expect(socket.send(600)[0]).toBe(". 1:537(536) ack 1");
  });

  test("MUST-16: it gets no more than it says, less what the options take", () => {
    const socket = socketInSynReceived({ timestamps: true }, stamp);
    socket.arrives(". 1:1(0) ack 1", stamp);
    expect(socket.send(2000)[0]).toBe(". 1:989(988) ack 1");
  });

  test("windows are scaled where both say so, and not in the SYNs (RFC 7323 section 2.2)", () => {
    const socket = socketInSynReceived({ windowScale: 2, receiveBuffer: 200_000 }, scale);
    expect(socket.lastWindow).toBe(65_535);
    socket.arrives(". 1:1(0) ack 1 win 10");
    expect(socket.connection.sndWnd).toBe(80);
    socket.arrives(". 1:101(100) ack 1");
    socket.passes(S);
    expect(socket.lastWindow).toBe((200_000 - 100) >> 2);
  });

  test("RFC 7323 section 2.3: a shift of more than 14 counts as 14", () => {
    const socket = socketInSynReceived({ windowScale: 2 }, { kind: "windowScale", shift: 200 });
    expect(socket.connection.sndShift).toBe(14);
  });

  test("RFC 7323 section 2.2: a shift that comes later is ignored", () => {
    const socket = socketInSynReceived({ windowScale: 2 }, scale);
    socket.arrives(". 1:1(0) ack 1", { kind: "windowScale", shift: 5 });
    expect(socket.connection.sndShift).toBe(3);
  });

  test("what was not offered is not used", () => {
    const socket = socketInSynReceived({}, scale, stamp);
    expect(socket.sent[0]!.options.map(({ kind }) => kind)).toEqual(["mss"]);
    expect(socket.connection).toMatchObject({ sndShift: 0, tsRecent: null });
  });

  test("what the peer does not offer is not in the SYN,ACK", () => {
    const socket = socketInSynReceived({ timestamps: true, windowScale: 7 });
    expect(socket.sent[0]!.options.map(({ kind }) => kind)).toEqual(["mss"]);
  });

  test("an MSS that would leave no room for data is not believed", () => {
    const socket = socketInListen();
    socket.arrives("S 0:0(0)", { kind: "mss", value: 0 });
    expect(socket.connection.sndMss).toBe(48);
  });
});

describe("initial sequence numbers", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const ends = {
    localAddress: Uint8Array.of(10, 9, 0, 1),
    localPort: 40_000,
    remoteAddress: Uint8Array.of(10, 9, 0, 2),
    remotePort: 80,
  };

  test("MUST-8: one tick every 4 microseconds, for the same ends", () => {
    const first = tcp.initialNumber(key, ends, 0);
    expect(tcp.initialNumber(key, ends, 4_000_000)).toBe(seq(first + 1_000_000));
    expect(tcp.initialNumber(key, ends, 4 * 2 ** 32)).toBe(first);
  });

  test("MUST-9: other ends, or another key, begin elsewhere", () => {
    const first = tcp.initialNumber(key, ends, 0);
    expect(tcp.initialNumber(key, { ...ends, localPort: 40_001 }, 0)).not.toBe(first);
    expect(
      tcp.initialNumber(
        key.map((byte) => byte + 1),
        ends,
        0,
      ),
    ).not.toBe(first);
  });

  test("an ISN of one's own choice is used as it is", () => {
    expect(socketInEstablished().connection.iss).toBe(LOCAL_ISS);
  });
});
