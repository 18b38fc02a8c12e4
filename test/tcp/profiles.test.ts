/** The profiles' differences: one test each. A field of Profile without a test does not compile. */
import { expect, test } from "vitest";
import * as tcp from "../../src/tcp/index.ts";
import { reopensWith, type Profile } from "../../src/tcp/index.ts";
import type { TcpSegment } from "../../src/codec/tcp.ts";
import {
  MS,
  S,
  socketInClosing,
  socketInCloseWait,
  socketInEstablished,
  socketInFinWait2,
  socketInLastAck,
  socketInListen,
  socketInSynReceived,
  socketInSynSent,
  socketInTimeWait,
  type Given,
  type Socket,
} from "./socket.ts";

const rfc: Given = { profile: tcp.RFC9293 };
const linux: Given = { profile: tcp.LINUX };
const stamp = (value: number) => ({ kind: "timestamps", value, echo: 0 }) as const;

function stamped(given: Given): Socket {
  const socket = socketInSynReceived({ ...given, timestamps: true }, stamp(700));
  socket.arrives(". 1:1(0) ack 1", stamp(700));
  return socket;
}

/** How often something is sent before the connection is given up. */
function triesOf(socket: Socket, send: () => void): number {
  send();
  return socket.passes(10_000 * S).length;
}

const retriesOfData = (given: Given, orphaned: boolean) => {
  const socket = socketInEstablished(given);
  return triesOf(socket, () => {
    socket.send(10);
    if (orphaned) socket.close();
  });
};

function closedWindow(given: Given): Socket {
  const socket = socketInEstablished(given);
  socket.arrives(". 1:1(0) ack 1 win 0");
  socket.send(10);
  return socket;
}

const DIFFERENCES: Record<Exclude<keyof Profile, "name">, () => void> = {
  timeWaitUs: () => {
    for (const [given, seconds] of [
      [rfc, 240],
      [linux, 60],
    ] as const) {
      const socket = socketInTimeWait(given);
      socket.passes(seconds * S - 1);
      expect(socket.state).toBe("TIME-WAIT");
      socket.passes(1);
      expect(socket.state).toBe("CLOSED");
    }
  },
  orphanFinWait2Us: () => {
    const [one, other] = [socketInFinWait2(rfc), socketInFinWait2(linux)];
    for (const socket of [one, other]) socket.passes(1000 * S);
    for (const socket of [one, other]) socket.close();
    for (const socket of [one, other]) socket.passes(60 * S);
    expect([one.state, other.state]).toEqual(["FIN-WAIT-2", "CLOSED"]);
  },
  rtoMinUs: () => {
    const rto = (given: Given) => {
      const socket = socketInEstablished(given);
      return socket.connection.rtoUs;
    };
    expect(rto(rfc)).toBe(1 * S);
    expect(rto(linux)).toBe(200 * MS);
  },
  rtoMinOf: () => {
    const rto = (given: Given) => {
      const socket = socketInSynReceived(given);
      socket.passes(900 * MS);
      socket.arrives(". 1:1(0) ack 1");
      for (let i = 1; i < 400; i += 10) {
        socket.send(10);
        socket.nowUs += 150 * MS;
        socket.arrives(`. 1:1(0) ack ${i + 10}`);
      }
      return socket.connection;
    };
    expect(rto(rfc).rtoUs).toBe(1 * S);
    const { rtoUs, srttUs } = rto(linux);
    expect(rtoUs).toBe(srttUs! + 200 * MS);
  },
  rtoMaxUs: () => {
    for (const given of [rfc, linux]) {
      const socket = socketInEstablished(given);
      socket.send(10);
      let longest = 0;
      for (let due; (due = tcp.pollTimeout(socket.connection));) {
        longest = Math.max(longest, due - socket.nowUs);
        socket.passes(due - socket.nowUs);
      }
      expect(longest).toBe(given.profile!.rtoMaxUs);
    }
  },
  synRetries: () => {
    expect(triesOf(socketInSynSent(rfc), () => {})).toBe(7);
    expect(triesOf(socketInSynSent(linux), () => {})).toBe(6);
  },
  synAgainUs: () => {
    const [one, other] = [socketInSynSent(rfc), socketInSynSent(linux)];
    for (const socket of [one, other]) socket.arrives(". 500:500(0) ack 77");
    expect([one, other].map((socket) => socket.passes(8 * MS).length)).toEqual([0, 1]);
  },
  synLinearRetries: () => {
    expect(socketInSynSent(rfc).passes(5 * S)).toHaveLength(2); // after 1 and 3 s
    expect(socketInSynSent(linux).passes(5 * S)).toHaveLength(5); // one a second
  },
  synAckRetries: () => {
    expect(triesOf(socketInSynReceived(rfc), () => {})).toBe(7);
    expect(triesOf(socketInSynReceived(linux), () => {})).toBe(5);
  },
  dataRetries: () => {
    expect([retriesOfData(rfc, false), retriesOfData(linux, false)]).toEqual([6, 15]);
  },
  orphanRetries: () => {
    expect([retriesOfData(rfc, true), retriesOfData(linux, true)]).toEqual([6, 8]);
  },
  delayedAckUs: () => {
    for (const [given, ms] of [
      [rfc, 200],
      [linux, 40],
    ] as const) {
      const socket = socketInEstablished(given);
      socket.connection.quickAcks = 0;
      socket.arrives("P. 1:11(10) ack 1");
      expect(socket.passes(ms * MS - 1)).toEqual([]);
      expect(socket.passes(1)).toEqual([". 1:1(0) ack 11"]);
    }
  },
  quickAcks: () => {
    const atOnce = (given: Given) => {
      const socket = socketInEstablished(given);
      let count = 0;
      for (let from = 1; from < 300; from += 10) count += socket.arrives(`P. ${from}:${from + 10}(10) ack 1`).length;
      return count;
    };
    expect(atOnce(rfc)).toBe(0);
    expect(atOnce(linux)).toBe(15); // one of the 16 went with the SYN,ACK
  },
  finAckDelayUs: () => {
    expect(socketInEstablished(rfc).arrives("F. 1:1(0) ack 1")).toEqual([". 1:1(0) ack 2"]);
    const socket = socketInEstablished(linux);
    expect(socket.arrives("F. 1:1(0) ack 1")).toEqual([]);
    expect(socket.close()).toEqual(["F. 1:1(0) ack 2"]);
    const other = socketInEstablished(linux);
    other.arrives("F. 1:1(0) ack 1");
    expect(other.passes(4 * MS)).toEqual([". 1:1(0) ack 2"]);
  },
  challengeAcks: () => {
    const answers = (given: Given) => {
      const socket = socketInEstablished(given);
      let count = 0;
      for (let i = 0; i < 30; i++) count += socket.arrives("S 50:50(0)").length;
      return count;
    };
    expect([answers(rfc), answers(linux)]).toEqual([10, 1]);
  },
  window: () => {
    // At the right edge: outside for the one, inside for the other.
    const atEdge = (given: Given) => {
      const socket = socketInEstablished({ ...given, receiveBuffer: 100 });
      return socket.arrives(". 101:101(0) ack 1");
    };
    expect([atEdge(rfc), atEdge(linux)]).toEqual([[". 1:1(0) ack 1"], []]);
    // Beyond it, with nothing unread before it.
    const beyond = (given: Given) => {
      const socket = socketInEstablished({ ...given, receiveBuffer: 100 });
      socket.arrives("P. 1:151(150) ack 1");
      return socket.reads();
    };
    expect([beyond(rfc), beyond(linux)]).toEqual([100, 150]);
    // What has been received since the last ACK may be said again in a pure ACK.
    const before = (given: Given) => {
      const socket = socketInEstablished(given);
      socket.connection.quickAcks = 0;
      socket.arrives("P. 1:11(10) ack 1");
      return socket.arrives(". 5:5(0) ack 1");
    };
    expect([before(rfc), before(linux)]).toEqual([[". 1:1(0) ack 11"], []]);
  },
  ignoresFlagless: () => {
    expect(socketInEstablished(rfc).arrives("- -50:-40(10)")).toHaveLength(1);
    expect(socketInEstablished(linux).arrives("- -50:-40(10)")).toEqual([]);
  },
  pawsSlack: () => {
    const taken = (given: Given) => {
      const socket = stamped(given);
      socket.arrives("P. 1:11(10) ack 1", stamp(699));
      return socket.reads();
    };
    expect([taken(rfc), taken(linux)]).toEqual([0, 10]);
  },
  excusesOvertakenAcks: () => {
    expect(stamped(rfc).arrives(". 0:0(0) ack 1", stamp(600))).toEqual([". 1:1(0) ack 1"]);
    expect(stamped(linux).arrives(". 0:0(0) ack 1", stamp(600))).toEqual([]);
    expect(stamped(linux).arrives("P. 1:11(10) ack 1", stamp(600))).toEqual([". 1:1(0) ack 1"]);
  },
  wantsTimestamps: () => {
    const taken = (given: Given) => {
      const socket = stamped(given);
      socket.arrives("P. 1:11(10) ack 1");
      return socket.reads();
    };
    expect([taken(rfc), taken(linux)]).toEqual([0, 10]);
  },
  dropsSynFin: () => {
    expect(socketInListen(rfc).arrives("SF 0:0(0)")).toEqual(["S. 0:0(0) ack 1"]);
    expect(socketInListen(linux).arrives("SF 0:0(0)")).toEqual([]);
  },
  resetsDataPastFin: () => {
    const past = (given: Given) => {
      const socket = socketInCloseWait(given);
      return [...socket.arrives("P. 1:11(10) ack 1"), socket.state];
    };
    expect(past(rfc)).toEqual([". 1:1(0) ack 2", "CLOSE-WAIT"]);
    expect(past(linux)).toEqual(["R 1:1(0)", "CLOSED"]);
  },
  oldAcks: () => {
    expect(socketInEstablished(rfc).arrives(". 1:1(0) ack -9")).toEqual([]);
    expect(socketInEstablished(linux).arrives(". 1:1(0) ack -9")).toEqual([". 1:1(0) ack 1"]);
  },
  zeroWindowProbe: () => {
    expect(closedWindow(rfc).passes(1 * S)).toEqual([". 1:2(1) ack 1"]);
    expect(closedWindow(linux).passes(200 * MS)).toEqual([". 0:0(0) ack 1"]);
  },
  nagle: () => {
    const sent = (given: Given) => {
      const socket = socketInEstablished(given);
      socket.send(1000);
      return socket.send(10);
    };
    expect([sent(rfc), sent(linux)]).toEqual([[], ["P. 1001:1011(10) ack 1"]]);
  },
  resetBelowFin: () => {
    const states = (given: Given) =>
      [socketInCloseWait, socketInLastAck, socketInClosing].map((make) => {
        const socket = make(given);
        socket.arrives("R 1:1(0)");
        return socket.state;
      });
    expect(states(rfc)).toEqual(["CLOSE-WAIT", "LAST-ACK", "CLOSING"]);
    expect(states(linux)).toEqual(["CLOSED", "CLOSED", "CLOSED"]);
  },
  resetInCloseWait: () => {
    const error = (given: Given) => {
      const socket = socketInCloseWait(given);
      socket.arrives("R 2:2(0)");
      return socket.connection.error;
    };
    expect([error(rfc), error(linux)]).toEqual(["reset", "broken-pipe"]);
  },
  resetWhileClosing: () => {
    const error = (given: Given) => {
      const socket = socketInLastAck(given);
      socket.arrives("R 2:2(0)");
      return socket.connection.error;
    };
    expect([error(rfc), error(linux)]).toEqual([null, "reset"]);
  },
  keepsDataAfterReset: () => {
    const left = (given: Given) => {
      const socket = socketInEstablished(given);
      socket.arrives("P. 1:11(10) ack 1");
      socket.arrives("R 11:11(0)");
      return [socket.reads(), socket.reads()];
    };
    expect([left(rfc), left(linux)]).toEqual([
      [null, null],
      [10, null],
    ]);
  },
  resetAcknowledges: () => {
    expect(socketInEstablished(rfc).abort()).toEqual(["R 1:1(0)"]);
    expect(socketInEstablished(linux).abort()).toEqual(["R. 1:1(0) ack 1"]);
  },
  timeWait: () => {
    // A RST is judged by its number alone; elsewhere in the window it is not even challenged.
    expect(socketInTimeWait(rfc).arrives("R 5:5(0)")).toEqual([". 2:2(0) ack 2"]);
    expect(socketInTimeWait(linux).arrives("R 5:5(0)")).toEqual([]);
    // A bare ACK in turn makes it begin again.
    const leftAfterAck = (given: Given) => {
      const socket = socketInTimeWait({ ...given, timeWaitUs: 60 * S });
      socket.passes(50 * S);
      socket.arrives(". 2:2(0) ack 2");
      return (tcp.pollTimeout(socket.connection)! - socket.nowUs) / S;
    };
    expect([leftAfterAck(rfc), leftAfterAck(linux)]).toEqual([10, 60]);
    // A FIN without ACK does not.
    const leftAfterFin = (given: Given) => {
      const socket = socketInTimeWait({ ...given, timeWaitUs: 60 * S });
      socket.passes(50 * S);
      socket.arrives("F 1:1(0)");
      return (tcp.pollTimeout(socket.connection)! - socket.nowUs) / S;
    };
    expect([leftAfterFin(rfc), leftAfterFin(linux)]).toEqual([60, 10]);
    // A SYN with an old number and a newer timestamp is welcome to both; with a higher number and an equal timestamp too.
    for (const given of [rfc, linux]) {
      const socket = stamped(given);
      socket.shutdown();
      socket.arrives("F. 1:1(0) ack 2", stamp(710));
      const syn = { ...socket.sent[0]!, flags: 2, seq: (socket.connection.irs - 50) >>> 0 } as TcpSegment;
      expect(reopensWith(socket.connection, socket.nowUs, { ...syn, options: [stamp(711)] })).toBeDefined();
      expect(reopensWith(socket.connection, socket.nowUs, { ...syn, options: [stamp(710)] })).toBeUndefined();
    }
  },
  synReceived: () => {
    // The SYN once more: an ACK, or the SYN,ACK once more.
    expect(socketInSynReceived(rfc).arrives("S 0:0(0)")).toEqual([". 1:1(0) ack 1"]);
    expect(socketInSynReceived(linux).arrives("S 0:0(0)")).toEqual(["S. 0:0(0) ack 1"]);
    // Another SYN in the window: forgotten silently, or with a RST.
    expect(socketInSynReceived(rfc).arrives("S 5:5(0)")).toEqual([]);
    expect(socketInSynReceived(linux).arrives("S 5:5(0)")).toEqual(["R. 0:0(0) ack 6"]);
    // An unacceptable segment with a wrong ACK: the ACK counts first, and draws a RST.
    expect(socketInSynReceived(rfc).arrives(". -10:-10(0) ack 9")).toEqual([". 1:1(0) ack 1"]);
    expect(socketInSynReceived(linux).arrives(". -10:-10(0) ack 9")).toEqual(["R 9:9(0)"]);
  },
};

test.each(Object.entries(DIFFERENCES))("%s", (_, difference) => difference());

test("what has no difference is no field", () => {
  const same = (Object.keys(tcp.LINUX) as (keyof Profile)[]).filter((key) => tcp.LINUX[key] === tcp.RFC9293[key]);
  expect(same).toEqual([]);
});
