/** RFC 9293's figures of resets, 8 to 11, segment by segment with their own numbers (sections 3.5 and 3.5.1). */
import { beforeEach, describe, expect, test } from "vitest";
import { seq } from "../../src/codec/seq.ts";
import { SYN } from "../../src/codec/tcp.ts";
import * as tcp from "../../src/tcp/index.ts";
import { TwoEnds, type Name } from "../published/two-ends.ts";

const PORTS = { A: 40_000, B: 80 };
const listening = (name: Name, iss: number) =>
  tcp.listen(tcp.settingsOf({ localPort: PORTS[name], remotePort: 0 }), seq(iss));
const connecting = (iss: number) => tcp.connect(tcp.settingsOf({ localPort: PORTS.A, remotePort: PORTS.B }), seq(iss));

const states = ({ ends: { A, B } }: TwoEnds) => [A.state, B.state];

test("figure 8: a RST undoes what an old duplicate SYN has begun, and the connection is made", () => {
  const two = new TwoEnds({ A: 100, B: 300 });
  const delayed = two.sends("A");
  two.duplicate("B", { seq: 90, ack: 0, flags: SYN });
  two.passes("B");
  two.passes("A");
  expect(states(two)).toEqual(["SYN-SENT", "LISTEN"]);
  two.ends.B = listening("B", 400); // each connection has a number of its own
  two.arrive("B", delayed);
  two.passes("B");
  two.passes("A");
  expect(two.log).toEqual([
    "A: <SEQ=100><CTL=SYN>",
    "old: <SEQ=90><CTL=SYN>",
    "B: <SEQ=300><ACK=91><CTL=SYN,ACK>",
    "A: <SEQ=91><CTL=RST>",
    "B: <SEQ=400><ACK=101><CTL=SYN,ACK>",
    "A: <SEQ=101><ACK=401><CTL=ACK>",
  ]);
  expect(states(two)).toEqual(["ESTABLISHED", "ESTABLISHED"]);
});

describe("A has rebooted, B still has the connection", () => {
  let two: TwoEnds;

  beforeEach(() => {
    two = new TwoEnds({ A: 99, B: 299 });
    two.open();
  });

  test("figure 9: A connects again, B's ACK draws a RST, and A's next SYN finds the way free", () => {
    two.ends.A = connecting(400);
    two.passes("A");
    two.passes("B");
    two.passes("A");
    expect(states(two)).toEqual(["SYN-SENT", "CLOSED"]);
    expect(two.ends.B.error).toBe("reset");
    two.ends.B = listening("B", 500);
    two.passes("A");
    expect(two.log).toEqual([
      "A: <SEQ=400><CTL=SYN>",
      "B: <SEQ=300><ACK=100><CTL=ACK>",
      "A: <SEQ=100><CTL=RST>",
      "A: <SEQ=400><CTL=SYN>",
    ]);
    expect(two.ends.B.state).toBe("SYN-RECEIVED");
  });

  test("figure 10: B sends data, and is reset", () => {
    tcp.abort(two.ends.A, 0);
    while (tcp.pollTransmit(two.ends.A, 0)); // the reboot tells nobody
    two.write("B", 10);
    two.passes("B");
    two.passes("A");
    expect(two.log).toEqual(["B: <SEQ=300><ACK=100><DATA=10><CTL=ACK>", "A: <SEQ=100><CTL=RST>"]);
    expect(two.ends.B).toMatchObject({ state: "CLOSED", error: "reset" });
  });
});

test("figure 11: an old duplicate SYN between two that listen leaves both as they were", () => {
  const two = new TwoEnds({ A: 0, B: 700 });
  two.ends.A = listening("A", 0);
  two.duplicate("B", { seq: 90, ack: 0, flags: SYN });
  two.passes("B");
  two.passes("A");
  expect(two.log).toEqual(["old: <SEQ=90><CTL=SYN>", "B: <SEQ=700><ACK=91><CTL=SYN,ACK>", "A: <SEQ=91><CTL=RST>"]);
  expect(states(two)).toEqual(["LISTEN", "LISTEN"]);
});
