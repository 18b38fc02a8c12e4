/** RST and SYN where no connection is, and where one stands (RFC 9293 section 3.5.2, RFC 5961). */
import { describe, expect, test } from "vitest";
import { RFC9293 } from "../../src/tcp/index.ts";
import {
  ALL_STATES,
  nextOf,
  S,
  sentUpTo,
  socketInClosed,
  socketInEstablished,
  socketInSynReceived,
  socketInSynSent,
  SYNCHRONIZED,
  SYNCHRONIZED_IN_BOTH,
} from "./socket.ts";

describe("CLOSED", () => {
  test("an ACK is answered by a RST with its number", () => {
    expect(socketInClosed().arrives(". 2:2(0) ack 77")).toEqual(["R 77:77(0)"]);
  });

  test("what has no ACK is answered by a RST with number 0, which acknowledges it", () => {
    expect(socketInClosed().arrives("S 10:15(5)")).toEqual(["R. 0:0(0) ack 16"]);
    expect(socketInClosed().arrives("F 10:15(5)")).toEqual(["R. 0:0(0) ack 16"]);
  });

  test("a RST is not answered", () => {
    expect(socketInClosed().arrives("R 2:2(0)")).toEqual([]);
    expect(socketInClosed().arrives("R. 2:2(0) ack 2")).toEqual([]);
  });
});

describe("RST in synchronized states (RFC 5961 section 3)", () => {
  test.each(SYNCHRONIZED_IN_BOTH)("%s: with the next number it ends the connection", (_, make) => {
    const socket = make();
    const next = nextOf(socket);
    expect(socket.arrives(`R ${next}:${next}(0)`)).toEqual([]);
    expect(socket.state).toBe("CLOSED");
  });

  test.each(Object.entries(SYNCHRONIZED))("%s: elsewhere in the window it draws a challenge ACK", (state, make) => {
    const socket = make();
    const next = nextOf(socket) + 10;
    expect(socket.arrives(`R ${next}:${next}(0)`)).toEqual([
      `. ${sentUpTo(socket)}:${sentUpTo(socket)}(0) ack ${nextOf(socket)}`,
    ]);
    expect(socket.state).toBe(state);
  });

  test.each(SYNCHRONIZED_IN_BOTH)("%s: outside the window it is dropped", (_, make) => {
    const socket = make();
    const { state } = socket;
    expect(socket.arrives("R -10:-10(0)")).toEqual([]);
    expect(socket.arrives("R 100000:100000(0)")).toEqual([]);
    expect(socket.state).toBe(state);
  });

  test.each(["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"] as const)(
    "MUST-12, %s: the user is told",
    (state) => {
      const socket = SYNCHRONIZED[state]();
      const next = nextOf(socket);
      socket.events();
      socket.arrives(`R ${next}:${next}(0)`);
      expect(socket.connection.error).toBe("reset");
      expect(socket.events()).toEqual(["error", "closed"]);
    },
  );

  test.each(["CLOSING", "LAST-ACK", "TIME-WAIT"] as const)("%s: there is nothing to tell", (state) => {
    const socket = SYNCHRONIZED[state]();
    const next = nextOf(socket);
    socket.arrives(`R ${next}:${next}(0)`);
    expect(socket.connection.error).toBeNull();
  });

  test("section 3.10.7.4, second: its number alone counts, not the data that it brings", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("R -5:5(10)")).toEqual([]);
    expect(socket.state).toBe("ESTABLISHED");
    socket.arrives("R 1:30001(30000)");
    expect(socket.state).toBe("CLOSED");
  });

  test("what was received and not read is flushed", () => {
    const socket = socketInEstablished();
    socket.arrives("P. 1:11(10) ack 1");
    socket.arrives("R 11:11(0)");
    expect(socket.reads()).toBeNull();
  });
});

describe("SYN-RECEIVED (RFC 9293 section 3.10.7.4, which adds it to RFC 5961)", () => {
  const active = () => {
    const socket = socketInSynSent();
    socket.arrives("S 0:0(0)");
    return socket;
  };

  test.each([
    ["passive", socketInSynReceived],
    ["active", active],
  ] as const)("%s: a RST elsewhere in the window draws a challenge ACK, one outside nothing", (_, make) => {
    const socket = make();
    expect(socket.arrives("R 11:11(0)")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.arrives("R 0:0(0)")).toEqual([]);
    expect(socket.arrives("R 100000:100000(0)")).toEqual([]);
    expect(socket.state).toBe("SYN-RECEIVED");
  });

  test("active: another SYN draws a challenge ACK", () => {
    const socket = active();
    expect(socket.arrives("S 11:11(0)")).toEqual([". 1:1(0) ack 1"]);
    expect(socket.state).toBe("SYN-RECEIVED");
  });
});

describe("when a RST is sent (RFC 9293 section 3.5.2)", () => {
  test("group 1: for a connection that does not exist, to anything but a RST", () => {
    const answers = ["S 0:0(0)", ". 0:0(0) ack 9", "F. 0:0(0) ack 9", "P. 0:5(5) ack 9"].map((text) =>
      socketInClosed().arrives(text),
    );
    expect(answers).toEqual([["R. 0:0(0) ack 1"], ["R 9:9(0)"], ["R 9:9(0)"], ["R 9:9(0)"]]);
    for (const text of ["R 0:0(0)", "R. 0:0(0) ack 9"]) expect(socketInClosed().arrives(text)).toEqual([]);
  });

  test.each([
    ["LISTEN", ". 0:0(0) ack 9"],
    ["SYN-SENT", ". 0:0(0) ack 9"],
    ["SYN-RECEIVED", ". 1:1(0) ack 9"],
  ] as const)("group 2, %s: to an ACK of what was never sent; its state stays", (state, text) => {
    const socket = ALL_STATES[state]();
    expect(socket.arrives(text)).toEqual(["R 9:9(0)"]);
    expect(socket.state).toBe(state);
  });

  test.each(Object.entries(SYNCHRONIZED))(
    "group 3, %s: never, an unacceptable segment draws an empty ACK",
    (state, make) => {
      for (const text of [". -100:-90(10) ack 1", "F. 100000:100000(0) ack 1", "P. 100000:100010(10) ack 1"]) {
        const socket = make();
        const [sent, next] = [sentUpTo(socket), nextOf(socket)];
        expect(socket.arrives(text)).toEqual([`. ${sent}:${sent}(0) ack ${next}`]);
        expect(socket.state).toBe(state);
      }
    },
  );

  test("section 3.5.3, SHLD-2: one that brings data is taken all the same", () => {
    const socket = socketInEstablished();
    socket.arrives("R 1:11(10)");
    expect(socket.connection.error).toBe("reset");
    expect(socket.reads()).toBeNull();
  });
});

describe("SYN in synchronized states (RFC 5961 section 4)", () => {
  test.each(SYNCHRONIZED_IN_BOTH)("%s: it draws a challenge ACK, whatever its number", (_, make) => {
    for (const from of [-100, 0, 1, 2, 50, 100_000]) {
      const socket = make();
      const { state } = socket;
      expect(socket.arrives(`S ${from}:${from}(0)`)).toHaveLength(1);
      expect(socket.state).toBe(state);
    }
  });

  test.each(Object.entries(SYNCHRONIZED))("section 4.2, %s: with data the segment is dropped whole", (state, make) => {
    const socket = make();
    const next = nextOf(socket);
    expect(socket.arrives(`S ${next}:${next + 10}(10)`)).toEqual([
      `. ${sentUpTo(socket)}:${sentUpTo(socket)}(0) ack ${next}`,
    ]);
    expect([socket.state, nextOf(socket)]).toEqual([state, next]);
  });

  test("section 7: how many, and in what time, can be set", () => {
    const profile = { ...RFC9293, challengeAcks: { count: 3, perUs: 1 * S } };
    const socket = socketInEstablished({ profile });
    const answers = () => Array.from({ length: 9 }, () => socket.arrives("S 50:50(0)").length);
    expect(answers()).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
    socket.passes(1 * S);
    expect(answers()).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test("section 7: ten in five seconds, no more", () => {
    const socket = socketInEstablished();
    let answers = 0;
    for (let i = 0; i < 50; i++) answers += socket.arrives("S 50:50(0)").length;
    expect(answers).toBe(10);
    socket.passes(5 * S);
    expect(socket.arrives("S 50:50(0)")).toHaveLength(1);
  });
});

describe("without RFC 5961, as RFC 793 had it", () => {
  const without = { rfc5961: false };

  test("a RST anywhere in the window ends the connection", () => {
    const socket = socketInEstablished(without);
    expect(socket.arrives("R 500:500(0)")).toEqual([]);
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "reset" } });
  });

  test("a SYN in the window ends it at both ends", () => {
    const socket = socketInEstablished(without);
    expect(socket.arrives("S 500:500(0)")).toEqual(["R. 0:0(0) ack 501"]);
    expect(socket.state).toBe("CLOSED");
  });

  test("an ACK from long ago is ignored, and what cannot be taken is answered without a limit", () => {
    const socket = socketInEstablished(without);
    expect(socket.arrives(". 1:1(0) ack -100000")).toEqual([]);
    for (let i = 0; i < 50; i++) expect(socket.arrives(". -9:-9(0) ack 1")).toEqual([". 1:1(0) ack 1"]);
  });
});
