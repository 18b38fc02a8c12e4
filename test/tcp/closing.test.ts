/** How connections end, state by state (RFC 9293 sections 3.5.2, 3.6, 3.10.4, 3.10.5, 3.10.7.4; RFC 1122). */
import { describe, expect, test } from "vitest";
import { sendRoom } from "../../src/tcp/index.ts";
import {
  ALL_STATES,
  MS,
  S,
  sentUpTo,
  socketInCloseWait,
  socketInClosing,
  socketInEstablished,
  socketInFinWait1,
  socketInFinWait2,
  socketInLastAck,
} from "./socket.ts";

describe("ESTABLISHED", () => {
  test("SHUTDOWN sends a FIN: FIN-WAIT-1", () => {
    const socket = socketInEstablished();
    expect(socket.shutdown()).toEqual(["F. 1:1(0) ack 1"]);
    expect(socket.state).toBe("FIN-WAIT-1");
  });

  test("the FIN goes with the last data", () => {
    const socket = socketInEstablished();
    socket.arrives(". 1:1(0) ack 1 win 0");
    socket.send(10);
    socket.shutdown();
    expect(socket.arrives(". 1:1(0) ack 1 win 500")).toEqual(["FP. 1:11(10) ack 1"]);
  });

  test("the peer's FIN is acknowledged: CLOSE-WAIT; the user hears of the end after the data", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("FP. 1:11(10) ack 1")).toEqual([". 1:1(0) ack 12"]);
    expect(socket.state).toBe("CLOSE-WAIT");
    expect(socket.events()).toEqual(["data", "end"]);
    expect([socket.reads(), socket.reads()]).toEqual([10, null]);
  });

  test("SHLD-3, RFC 1122 section 4.2.2.13: closed with data unread, it sends a RST: the peer has to know that they are lost", () => {
    const socket = socketInEstablished();
    socket.arrives("P. 1:11(10) ack 1");
    expect(socket.close()).toEqual(["R 1:1(0)"]);
    expect(socket.state).toBe("CLOSED");
  });

  test("SHLD-3, RFC 1122 section 4.2.2.13: data after close are answered by a RST", () => {
    const socket = socketInEstablished();
    socket.close();
    expect(socket.arrives("P. 1:11(10) ack 2")).toEqual(["R 2:2(0)"]);
    expect(socket.state).toBe("CLOSED");
  });
});

describe("FIN-WAIT-1", () => {
  test("the ACK of the FIN: FIN-WAIT-2", () => {
    const socket = socketInFinWait1();
    expect(socket.arrives(". 1:1(0) ack 2")).toEqual([]);
    expect(socket.state).toBe("FIN-WAIT-2");
  });

  test("the peer's FIN that acknowledges ours: TIME-WAIT", () => {
    const socket = socketInFinWait1();
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("TIME-WAIT");
  });

  test("the peer's FIN alone: CLOSING", () => {
    const socket = socketInFinWait1();
    expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("CLOSING");
  });

  test("data are still received", () => {
    const socket = socketInFinWait1();
    socket.arrives("P. 1:11(10) ack 1");
    expect(socket.reads()).toBe(10);
  });

  test("the FIN is sent again", () => {
    expect(socketInFinWait1().passes(1 * S)).toEqual(["F. 1:1(0) ack 1"]);
  });

  test("with its data, if both were lost", () => {
    const socket = socketInEstablished();
    socket.send(10);
    socket.shutdown();
    expect(socket.passes(1 * S)).toEqual(["FP. 1:11(10) ack 1"]);
  });

  test("an ACK of the data only leaves it there", () => {
    const socket = socketInEstablished();
    socket.send(10);
    socket.shutdown();
    socket.arrives(". 1:1(0) ack 11");
    expect(socket.state).toBe("FIN-WAIT-1");
    expect(socket.passes(1 * S)).toEqual(["F. 11:11(0) ack 1"]);
  });

  test("a peer that never answers is given up", () => {
    const socket = socketInFinWait1();
    socket.passes(1000 * S);
    expect(socket).toMatchObject({ state: "CLOSED", connection: { error: "timeout" } });
  });
});

describe("FIN-WAIT-2", () => {
  test("the peer's FIN: TIME-WAIT", () => {
    const socket = socketInFinWait2();
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("TIME-WAIT");
    expect(socket.reads()).toBeNull();
  });

  test("data are received, and acknowledged: the connection is half closed", () => {
    const socket = socketInFinWait2();
    socket.arrives("P. 1:11(10) ack 2");
    expect(socket.reads()).toBe(10);
    expect(socket.passes(500 * MS)).toEqual([". 2:2(0) ack 11"]);
  });

  test("it waits for ever, the user being there or not", () => {
    const socket = socketInFinWait2();
    socket.passes(10_000 * S);
    socket.close();
    socket.passes(10_000 * S);
    expect(socket.state).toBe("FIN-WAIT-2");
  });

  test("an orphan's data are answered by a RST", () => {
    const socket = socketInFinWait2();
    socket.close();
    expect(socket.arrives("P. 1:11(10) ack 2")).toEqual(["R 2:2(0)"]);
    expect(socket.state).toBe("CLOSED");
  });
});

describe("CLOSING", () => {
  test("the ACK of the FIN: TIME-WAIT", () => {
    const socket = socketInClosing();
    expect(socket.arrives(". 2:2(0) ack 2")).toEqual([]);
    expect(socket.state).toBe("TIME-WAIT");
  });

  test("any other ACK leaves it there", () => {
    const socket = socketInClosing();
    expect(socket.arrives(". 2:2(0) ack 1")).toEqual([]);
    expect(socket.state).toBe("CLOSING");
  });

  test("the FIN is sent again", () => {
    expect(socketInClosing().passes(1 * S)).toEqual(["F. 1:1(0) ack 2"]);
  });

  test("the peer's FIN once more draws an ACK", () => {
    expect(socketInClosing().arrives("F. 1:1(0) ack 1")).toEqual([". 2:2(0) ack 2"]);
  });
});

describe("CLOSE-WAIT", () => {
  test("data can still be sent", () => {
    expect(socketInCloseWait().send(10)).toEqual(["P. 1:11(10) ack 2"]);
  });

  test("closed, it sends its FIN: LAST-ACK", () => {
    const socket = socketInCloseWait();
    expect(socket.close()).toEqual(["F. 1:1(0) ack 2"]);
    expect(socket.state).toBe("LAST-ACK");
  });

  test("it waits for its user for ever", () => {
    const socket = socketInCloseWait();
    expect(socket.passes(100_000 * S)).toEqual([]);
    expect(socket.state).toBe("CLOSE-WAIT");
  });

  test("the peer's FIN once more draws an ACK", () => {
    expect(socketInCloseWait().arrives("F. 1:1(0) ack 1")).toEqual([". 1:1(0) ack 2"]);
  });
});

describe("LAST-ACK", () => {
  test("the ACK of the FIN: CLOSED", () => {
    const socket = socketInLastAck();
    expect(socket.arrives(". 2:2(0) ack 2")).toEqual([]);
    expect(socket.state).toBe("CLOSED");
    expect(socket.connection.error).toBeNull();
  });

  test("any other ACK leaves it there", () => {
    const socket = socketInLastAck();
    socket.arrives(". 2:2(0) ack 1");
    expect(socket.state).toBe("LAST-ACK");
  });

  test("the FIN is sent again until the user is told that nobody answers", () => {
    const socket = socketInLastAck();
    expect(socket.passes(1 * S)).toEqual(["F. 1:1(0) ack 2"]);
    socket.passes(1000 * S);
    expect(socket.state).toBe("CLOSED");
  });
});

describe("RFC 9293 section 3.6, segment by segment", () => {
  test("figure 12, the end that closes first", () => {
    const socket = socketInEstablished();
    expect(socket.close()).toEqual(["F. 1:1(0) ack 1"]);
    expect(socket.arrives(". 1:1(0) ack 2")).toEqual([]);
    expect(socket.arrives("F. 1:1(0) ack 2")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("TIME-WAIT");
    socket.passes(240 * S);
    expect(socket.state).toBe("CLOSED");
  });

  test("figure 12, the other end", () => {
    const socket = socketInEstablished();
    expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([". 1:1(0) ack 2"]);
    expect(socket.state).toBe("CLOSE-WAIT");
    expect(socket.close()).toEqual(["F. 1:1(0) ack 2"]);
    expect(socket.arrives(". 2:2(0) ack 2")).toEqual([]);
    expect(socket.state).toBe("CLOSED");
  });

  test("figure 13: both close at once", () => {
    const socket = socketInEstablished();
    expect(socket.close()).toEqual(["F. 1:1(0) ack 1"]);
    expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([". 2:2(0) ack 2"]);
    expect(socket.state).toBe("CLOSING");
    expect(socket.arrives(". 2:2(0) ack 2")).toEqual([]);
    expect(socket.state).toBe("TIME-WAIT");
  });

  test("MUST-12: the user is told whether the peer has closed or the connection was aborted", () => {
    const [closed, aborted] = [socketInEstablished(), socketInEstablished()];
    closed.arrives("F. 1:1(0) ack 1");
    expect([closed.events(), closed.reads(), closed.connection.error]).toEqual([["end"], null, null]);
    aborted.arrives("R 1:1(0)");
    expect([aborted.events(), aborted.connection.error]).toEqual([["error", "closed"], "reset"]);
  });

  test("all that was handed over before CLOSE is delivered reliably before the FIN", () => {
    const socket = socketInEstablished();
    socket.send(15_000);
    expect(socket.close()).toEqual([]);
    const after = socket.arrives(". 1:1(0) ack 10001");
    expect(after.at(-1)).toBe("FP. 14001:15001(1000) ack 1");
    expect(socket.state).toBe("FIN-WAIT-1");
  });
});

describe("CLOSE once more (RFC 9293 section 3.10.4)", () => {
  test.each(["FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED"] as const)(
    "%s: nothing is sent, the connection goes on closing",
    (state) => {
      const socket = ALL_STATES[state]();
      expect(socket.close()).toEqual([]);
      expect(socket.state).toBe(state);
    },
  );
});

test.each(["FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "LAST-ACK", "TIME-WAIT"] as const)(
  "%s: SEND takes nothing after CLOSE (RFC 9293 section 3.10.2)",
  (state) => {
    const socket = ALL_STATES[state]();
    expect(socket.send(10)).toEqual([]);
    expect([socket.connection.sendLength, sendRoom(socket.connection)]).toEqual([0, undefined]);
  },
);

test.each(["CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"] as const)(
  "%s: RECEIVE tells that the peer's stream has ended (RFC 9293 section 3.10.3)",
  (state) => {
    expect(ALL_STATES[state]().reads()).toBeNull();
  },
);

describe("a FIN, by state (RFC 9293 section 3.10.7.4, eighth)", () => {
  test.each(["LISTEN", "SYN-SENT"] as const)("%s: its number can't be validated, it is dropped", (state) => {
    const socket = ALL_STATES[state]();
    expect(socket.arrives("F 0:0(0)")).toEqual([]);
    expect(socket.state).toBe(state);
  });

  test.each(["CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"] as const)(
    "%s: once more it changes nothing, and draws an ACK",
    (state) => {
      const socket = ALL_STATES[state]();
      const sent = sentUpTo(socket);
      expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([`. ${sent}:${sent}(0) ack 2`]);
      expect(socket.state).toBe(state);
    },
  );
});

describe("ABORT (RFC 9293 section 3.10.5)", () => {
  test.each(["SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"] as const)(
    "%s: a RST",
    (state) => {
      const socket = ALL_STATES[state]();
      expect(socket.abort()).toEqual([`R ${sentUpTo(socket)}:${sentUpTo(socket)}(0)`]);
      expect(socket.state).toBe("CLOSED");
      expect(socket.passes(1000 * S)).toEqual([]);
    },
  );

  test.each(["LISTEN", "SYN-SENT", "CLOSING", "LAST-ACK", "TIME-WAIT", "CLOSED"] as const)(
    "%s: nothing is sent",
    (state) => {
      const socket = ALL_STATES[state]();
      expect(socket.abort()).toEqual([]);
      expect(socket.state).toBe("CLOSED");
    },
  );

  test("what waits to be sent is lost", () => {
    const socket = socketInEstablished();
    socket.send(30_000);
    expect(socket.abort()).toEqual(["R 10001:10001(0)"]);
    expect(socket.connection.sendLength).toBe(0);
  });
});

test("each fixture is in the state that it is named after", () => {
  for (const [state, make] of Object.entries(ALL_STATES)) expect(make().state).toBe(state);
});
