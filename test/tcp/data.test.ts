/** Data in ESTABLISHED: windows, retransmission, probes, ACKs, reassembly. */
import { describe, expect, test } from "vitest";
import { receive, RFC9293 } from "../../src/tcp/index.ts";
import { MS, nextOf, pattern, S, socketInEstablished, SYNCHRONIZED } from "./socket.ts";

describe("sending", () => {
  test("data go in full segments; what is left over waits (RFC 896)", () => {
    expect(socketInEstablished().send(2500)).toEqual([". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1"]);
  });

  test("RFC 896: less than a full segment waits for the ACK of what is under way", () => {
    const socket = socketInEstablished();
    expect(socket.send(10)).toEqual(["P. 1:11(10) ack 1"]);
    expect(socket.send(10)).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack 11")).toEqual(["P. 11:21(10) ack 1"]);
  });

  test("MUST-17: it does not if the user wants no delay", () => {
    const socket = socketInEstablished({ noDelay: true });
    socket.send(10);
    expect(socket.send(10)).toEqual(["P. 11:21(10) ack 1"]);
  });

  test("no more than the peer's window has room for", () => {
    const socket = socketInEstablished();
    socket.arrives(". 1:1(0) ack 1 win 2500");
    expect(socket.send(5000).length).toBe(2);
    expect(socket.arrives(". 1:1(0) ack 2001 win 1000")).toEqual([". 2001:3001(1000) ack 1"]);
  });

  test("MUST-34: a window that shrinks is borne: nothing new goes, what is under way still counts", () => {
    const socket = socketInEstablished();
    socket.send(3000);
    expect(socket.arrives(". 1:1(0) ack 1 win 500")).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack 3001 win 500")).toEqual([]);
    expect(socket.connection.sndUna).toBe(socket.connection.sndNxt);
  });

  test("MUST-38: a window of a few bytes is not used at once", () => {
    const socket = socketInEstablished();
    socket.arrives(". 1:1(0) ack 1 win 10");
    expect(socket.send(100)).toEqual([]);
    expect(socket.passes(1500 * MS)).toEqual([". 1:11(10) ack 1"]);
  });

  test("an old segment's window is not taken (SND.WL1, SND.WL2)", () => {
    const socket = socketInEstablished();
    socket.arrives("P. 1:11(10) ack 1 win 3000");
    socket.arrives(". 1:1(0) ack 1 win 9000");
    expect(socket.connection.sndWnd).toBe(3000);
  });

  test("slow start: ten segments, then two for each that is acknowledged (RFC 6928, RFC 5681)", () => {
    const socket = socketInEstablished({ noDelay: true, sendBuffer: 100_000 });
    socket.arrives(". 1:1(0) ack 1 win 65000");
    expect(socket.send(60_000).length).toBe(10);
    expect(socket.arrives(". 1:1(0) ack 1001 win 65000").length).toBe(2);
  });

  test("the send buffer takes what it has room for, and says so", () => {
    const socket = socketInEstablished({ sendBuffer: 3000 });
    expect(socket.send(5000)).toHaveLength(3);
    expect(socket.connection.sendLength).toBe(3000);
    socket.events();
    socket.arrives(". 1:1(0) ack 1001");
    expect(socket.events()).toEqual(["space"]);
  });
});

describe("retransmission", () => {
  test("RFC 6298: after the timeout, then after twice as long", () => {
    const socket = socketInEstablished();
    socket.send(10);
    expect(socket.passes(1 * S - 1)).toEqual([]);
    expect(socket.passes(1)).toEqual(["P. 1:11(10) ack 1"]);
    expect(socket.passes(2 * S - 1)).toEqual([]);
    expect(socket.passes(1)).toEqual(["P. 1:11(10) ack 1"]);
  });

  test("SHLD-11, MUST-20: for 100 seconds at least, then the connection is closed, and the user told", () => {
    const socket = socketInEstablished();
    socket.send(10);
    socket.passes(100 * S);
    expect(socket.state).toBe("ESTABLISHED");
    socket.passes(100 * S);
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "timeout" } });
    expect(socket.events()).toEqual(["error", "closed"]);
  });

  test("MUST-21: each connection's user may set for how long", () => {
    const [patient, hasty] = [6, 2].map((dataRetries) => {
      const socket = socketInEstablished({ profile: { ...RFC9293, dataRetries } });
      socket.send(10);
      return socket;
    });
    for (const socket of [patient!, hasty!]) socket.passes(10 * S);
    expect([patient!.state, hasty!.state]).toEqual(["ESTABLISHED", "CLOSED"]);
  });

  test("all that was under way goes again, as ACKs come", () => {
    const socket = socketInEstablished();
    socket.send(3000);
    expect(socket.passes(1 * S)).toEqual([". 1:1001(1000) ack 1"]);
    expect(socket.arrives(". 1:1(0) ack 1001")).toEqual([". 1001:2001(1000) ack 1", "P. 2001:3001(1000) ack 1"]);
  });

  test("RFC 5681: three duplicate ACKs, and the first goes again at once", () => {
    const socket = socketInEstablished();
    socket.send(5000);
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack 1")).toEqual([". 1:1001(1000) ack 1"]);
  });

  test("RFC 6582: an ACK of some of it has the next hole filled", () => {
    const socket = socketInEstablished();
    socket.send(5000);
    for (let i = 0; i < 3; i++) socket.arrives(". 1:1(0) ack 1");
    expect(socket.arrives(". 1:1(0) ack 2001")).toEqual([". 2001:3001(1000) ack 1"]);
    socket.arrives(". 1:1(0) ack 5001");
    expect(socket.connection).toMatchObject({ recover: null, retransmitAtUs: null });
  });

  test("MUST-18 (Karn): what was sent again tells nothing of the round-trip time", () => {
    const socket = socketInEstablished();
    socket.passes(1 * S);
    socket.send(10);
    socket.passes(1 * S + 500 * MS);
    const { srttUs } = socket.connection;
    socket.arrives(". 1:1(0) ack 11");
    expect(socket.connection.srttUs).toBe(srttUs);
  });

  test("RFC 6298 rules 2.2 and 2.3: the first sample, and the next", () => {
    const socket = socketInEstablished();
    socket.connection.srttUs = null;
    socket.send(10);
    socket.passes(400 * MS);
    socket.arrives(". 1:1(0) ack 11");
    expect(socket.connection).toMatchObject({ srttUs: 400 * MS, rttvarUs: 200 * MS, rtoUs: 1200 * MS });
    socket.send(10);
    socket.passes(800 * MS);
    socket.arrives(". 1:1(0) ack 21");
    expect(socket.connection).toMatchObject({ srttUs: 450 * MS, rttvarUs: 250 * MS, rtoUs: 1450 * MS });
  });
});

describe("a zero window", () => {
  const closed = () => {
    const socket = socketInEstablished();
    socket.arrives(". 1:1(0) ack 1 win 0");
    return socket;
  };

  test("MUST-36: it is probed, with a byte of data, and ever less often", () => {
    const socket = closed();
    expect(socket.send(100)).toEqual([]);
    expect(socket.passes(1 * S)).toEqual([". 1:2(1) ack 1"]);
    expect(socket.passes(2 * S)).toEqual([". 1:2(1) ack 1"]);
    expect(socket.passes(2 * S)).toEqual([]);
    expect(socket.passes(2 * S)).toEqual([". 1:2(1) ack 1"]);
  });

  test("MUST-37: a peer that answers may keep it closed for as long as it likes", () => {
    const socket = closed();
    socket.send(100);
    for (let i = 0; i < 100; i++) {
      socket.passes(60 * S);
      socket.arrives(". 1:1(0) ack 1 win 0");
    }
    expect(socket.state).toBe("ESTABLISHED");
    expect(socket.arrives(". 1:1(0) ack 1 win 5000")).toEqual([". 1:2(1) ack 1"]);
    expect(socket.arrives(". 1:1(0) ack 2 win 5000")).toEqual(["P. 2:101(99) ack 1"]);
  });

  test("a peer that does not answer is given up", () => {
    const socket = closed();
    socket.send(100);
    socket.passes(1000 * S);
    expect(socket.connection.error).toBe("timeout");
  });

  test("the FIN is behind it too", () => {
    const socket = closed();
    socket.send(100);
    expect(socket.shutdown()).toEqual([]);
    expect(socket.state).toBe("FIN-WAIT-1");
    socket.passes(1 * S);
    expect(socket.arrives(". 1:1(0) ack 2 win 5000")).toEqual(["FP. 2:101(99) ack 1"]);
  });

  test("MUST-66: a RST is heard when our own window is zero, and so is an ACK", () => {
    const full = () => {
      const socket = socketInEstablished({ receiveBuffer: 100 });
      expect(socket.arrives("P. 1:101(100) ack 1")).toEqual([]);
      socket.passes(S);
      expect(socket.lastWindow).toBe(0);
      return socket;
    };
    const reset = full();
    reset.arrives("R 101:101(0)");
    expect(reset.connection.error).toBe("reset");
    const acked = full();
    acked.send(10);
    acked.arrives(". 101:101(0) ack 11");
    expect(acked.connection.sendLength).toBe(0);
    expect(full().arrives(". 101:102(1) ack 1")).toEqual([". 1:1(0) ack 101"]);
    const resetWithData = full();
    resetWithData.arrives("R 101:111(10)");
    expect(resetWithData.connection.error).toBe("reset");
  });
});

describe("receiving", () => {
  test("MUST-40: an ACK waits less than half a second for another reason to send", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("P. 1:11(10) ack 1")).toEqual([]);
    expect(socket.passes(499 * MS)).toEqual([". 1:1(0) ack 11"]);
  });

  test("it rides on data", () => {
    const socket = socketInEstablished();
    socket.arrives("P. 1:11(10) ack 1");
    expect(socket.send(5)).toEqual(["P. 1:6(5) ack 11"]);
    expect(socket.passes(500 * MS)).toEqual([]);
  });

  test("SHLD-19: every second full segment draws an ACK at once", () => {
    const socket = socketInEstablished();
    expect(socket.arrives(". 1:1001(1000) ack 1")).toEqual([]);
    expect(socket.arrives(". 1001:2001(1000) ack 1")).toEqual([". 1:1(0) ack 2001"]);
  });

  test("SHLD-31: what comes ahead of its turn is kept, and asked for at once", () => {
    const socket = socketInEstablished();
    expect(socket.arrives(". 21:31(10) ack 1")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.arrives(". 11:21(10) ack 1")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.reads()).toBe(0);
    expect(socket.arrives(". 1:11(10) ack 1")).toEqual([". 1:1(0) ack 31"]);
    expect(receive(socket.connection)).toEqual(pattern(1, 30));
  });

  test("what overlaps counts once", () => {
    const socket = socketInEstablished();
    socket.arrives(". 11:31(20) ack 1");
    socket.arrives(". 21:41(20) ack 1");
    socket.arrives(". 1:36(35) ack 1");
    expect(receive(socket.connection)).toEqual(pattern(1, 40));
  });

  test("a FIN ahead of its turn waits for it", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("F. 11:21(10) ack 1")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.state).toBe("ESTABLISHED");
    expect(socket.arrives(". 1:11(10) ack 1")).toEqual([". 1:1(0) ack 22"]);
    expect(socket.state).toBe("CLOSE-WAIT");
    expect(socket.reads()).toBe(20);
    expect(socket.reads()).toBeNull();
  });

  test("what reaches beyond the window is cut off", () => {
    const socket = socketInEstablished({ receiveBuffer: 100 });
    expect(socket.arrives("F. 1:151(150) ack 1")).toEqual([". 1:1(0) ack 101"]);
    expect(socket.reads()).toBe(100);
    expect(socket.state).toBe("ESTABLISHED");
  });

  test("MUST-39: the window opens by a worthwhile step, and then the peer is told", () => {
    const socket = socketInEstablished({ receiveBuffer: 4000 });
    for (let from = 1; from < 4000; from += 1000) socket.arrives(`. ${from}:${from + 1000}(1000) ack 1`);
    expect(socket.lastWindow).toBe(0);
    socket.reads(999);
    expect(socket.sends()).toEqual([]);
    socket.reads(1);
    expect(socket.sends()).toEqual([". 1:1(0) ack 4001"]);
    expect(socket.lastWindow).toBe(1000);
  });

  test("the right edge never moves left", () => {
    const socket = socketInEstablished({ receiveBuffer: 4000 });
    const edge = socket.connection.rcvEdge;
    socket.arrives(". 1:1001(1000) ack 1");
    socket.passes(S);
    expect(socket.lastWindow).toBe(3000);
    expect(socket.connection.rcvEdge).toBe(edge);
  });

  test("a duplicate is answered, and not delivered twice", () => {
    const socket = socketInEstablished();
    socket.arrives("P. 1:11(10) ack 1");
    expect(socket.arrives("P. 1:11(10) ack 1")).toEqual([". 1:1(0) ack 11"]);
    expect(socket.reads()).toBe(10);
  });
});

describe("what is not acceptable", () => {
  test.each(Object.entries(SYNCHRONIZED))(
    "%s: a number outside the window is answered by an ACK and dropped",
    (_, make) => {
      for (const text of [". -100:-90(10) ack 1", ". 100000:100010(10) ack 1", ". 100000:100000(0) ack 1"]) {
        const socket = make();
        const { state, connection } = socket;
        const next = connection.rcvNxt;
        expect(socket.arrives(text)).toHaveLength(1);
        expect(connection).toMatchObject({ state, rcvNxt: next });
      }
    },
  );

  test.each(Object.entries(SYNCHRONIZED))("%s: an ACK of what was never sent is answered by an ACK", (_, make) => {
    const socket = make();
    const { state } = socket;
    expect(socket.arrives(`. ${nextOf(socket)}:${nextOf(socket)}(0) ack 500`)).toHaveLength(1);
    expect(socket.state).toBe(state);
  });

  test("RFC 5961 section 5.2: an ACK from further back than the largest window is answered by an ACK", () => {
    const socket = socketInEstablished();
    expect(socket.arrives(". 1:1(0) ack -19999")).toEqual([]);
    expect(socket.arrives(". 1:1(0) ack -20001")).toEqual([". 1:1(0) ack 1"]);
  });

  test("RFC 5961 section 5.2: data and a FIN with such an ACK are dropped", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("FP. 1:11(10) ack -20001")).toEqual([". 1:1(0) ack 1"]);
    expect([socket.state, socket.reads()]).toEqual(["ESTABLISHED", 0]);
  });

  test("what has no ACK is dropped", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("P 1:11(10)")).toEqual([]);
    expect(socket.reads()).toBe(0);
  });

  test.each(["CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"] as const)(
    "%s: data after the peer's FIN are ignored",
    (state) => {
      const socket = SYNCHRONIZED[state]();
      expect(socket.arrives("P. 2:12(10) ack 1")).toEqual([]);
      expect([socket.state, nextOf(socket), socket.reads()]).toEqual([state, 2, null]);
    },
  );
});
