/** What a ladder looks like. */
import { expect, test } from "vitest";
import { drawLadder } from "../../src/view/ladder/ladder.ts";
import { Connection, fails, ok, TraceBuilder } from "../support/trace-builder.ts";
import { bulk, lastAckLost, oldDuplicate, restart, simultaneousClose } from "../support/traces.ts";
import type { Trace } from "../../src/trace/trace.ts";

function plain(trace: Trace, width = 80): string {
  return drawLadder(trace, { width, colour: false });
}

/** The lines between the hosts' addresses and the verdict. */
function rows(trace: Trace, width = 80): string[] {
  const lines = plain(trace, width).split("\n");
  const end = lines.findIndex((line, i) => i > 5 && line === "");
  return lines.slice(6, end);
}

/** One line of the rows, which has this in it. */
function rowWith(trace: Trace, text: string, width = 80): string {
  const found = rows(trace, width).filter((line) => line.includes(text));
  expect(found, text).toHaveLength(1);
  return found[0]!;
}

test("the loss of the last ACK, at 80 columns", () => {
  expect(plain(lastAckLost())).toBe(`\
The last ACK is lost
last-ack-lost, on this kernel, Linux 6.18.0

                            client                    server
                           10.9.0.1                  10.9.0.2
                               │                         │
  0.1 ms                       │                         │ socket = 3
                               │                         │ bind 0.0.0.0:8000 = 0
  0.3 ms                       │                         │ listen 5 = 0
                               │                         │ CLOSED → LISTEN
  0.4 ms                       │                         │ accept …
 20.4 ms            socket = 3 │                         │
 20.6 ms               connect │                         │
               10.9.0.2:8000 … │                         │
             CLOSED → SYN-SENT │────────── SYN ─────────▶│ CLOSED → SYN-RECEIVED
 20.8 ms         → ESTABLISHED │◀─────── SYN,ACK ────────│
 20.9 ms           connect = 0 │───────── ACK 1 ────────▶│ → ESTABLISHED
                               │                         │ accept = 4
                               │                         │ 10.9.0.1:40000
── The client closes first; the wire drops its last ACK ────────────────────────
121.3 ms           close 3 = 0 │                         │
                  → FIN-WAIT-1 │── FIN,ACK seq 1 ack 1 ─▶│ → CLOSE-WAIT
121.5 ms          → FIN-WAIT-2 │◀──────── ACK 2 ─────────│
121.7 ms                       │                         │ close 4 = 0
          → TIME-WAIT (60.0 s) │◀─ FIN,ACK seq 1 ack 2 ──│ CLOSE-WAIT → LAST-ACK
122.0 ms                       │──── ACK 2 ───✗ dropped │
327.1 ms   TIME-WAIT restarted │◀─ FIN,ACK seq 1 ack 2 ──│ retransmit fired
327.4 ms                       │───────── ACK 2 ────────▶│ LAST-ACK → CLOSED

✓ the server sends its FIN again
✓ the client answers with an ACK

The article (A8): “TIME_WAIT is there so that the last ACK can be sent again if
it is lost.”
A8 holds: the server's FIN came again after 205 ms; the client, in TIME-WAIT,
acknowledged it again.
`);
});

test("two FINs that the wire holds and that cross, at 100 columns", () => {
  expect(plain(simultaneousClose(), 100)).toBe(`\
Both close at once
simultaneous-close, on this kernel, Linux 6.18.0

                                  client                           server
                                 10.9.0.1                         10.9.0.2
                                     │                                │
  0.1 ms                             │                                │ socket = 3
                                     │                                │ bind 0.0.0.0:8000 = 0
  0.3 ms                             │                                │ listen 5 = 0
                                     │                                │ CLOSED → LISTEN
  0.4 ms                             │                                │ accept …
 20.4 ms                  socket = 3 │                                │
 20.6 ms     connect 10.9.0.2:8000 … │                                │
                   CLOSED → SYN-SENT │───────────── SYN ─────────────▶│ CLOSED → SYN-RECEIVED
 20.8 ms      SYN-SENT → ESTABLISHED │◀─────────── SYN,ACK ───────────│
 20.9 ms                 connect = 0 │──────────── ACK 1 ────────────▶│ SYN-RECEIVED → ESTABLISHED
                                     │                                │ accept = 4 10.9.0.1:40000
── The wire holds both FINs until both are sent ───────────────────────────────────────────────────
121.3 ms                 close 3 = 0 │                                │
            ESTABLISHED → FIN-WAIT-1 │─ FIN,ACK seq 1 ack 1 ▐ held #4 │
121.5 ms                             │                                │ close 4 = 0
                                     │ held #5 ▐ FIN,ACK seq 1 ack 1 ─│ ESTABLISHED → FIN-WAIT-1
161.8 ms                             │ #4 released ▐─ FIN,ACK seq 1 ─╮│
                                     │╭─ FIN,ACK seq 1 ─▐ #5 released │
                                     │ #4 ╰─── FIN,ACK seq 1 ack 1 ──▶│ FIN-WAIT-1 → CLOSING
161.9 ms        FIN-WAIT-1 → CLOSING │◀── FIN,ACK seq 1 ack 1 ───╯ #5 │
162.1 ms                             │ #6 ╭────────── ACK 2 ──────────│
                                     │────────── ACK 2 ──────────╮ #7 │
162.2 ms        → TIME-WAIT (60.0 s) │◀───────── ACK 2 ──────────╯ #6 │
162.3 ms                             │ #7 ╰────────── ACK 2 ─────────▶│ → TIME-WAIT (60.0 s)

✓ both ends pass through CLOSING
✗ not met: one end is spared TIME-WAIT

The article (A9): “It ends well.”
The run failed and proves nothing: both ends were in TIME-WAIT
`);
});

test("the same in ASCII, at 80 columns", () => {
  expect(drawLadder(simultaneousClose(), { width: 80, colour: false, unicode: false })).toBe(`\
Both close at once
simultaneous-close, on this kernel, Linux 6.18.0

                            client                    server
                           10.9.0.1                  10.9.0.2
                               |                         |
  0.1 ms                       |                         | socket = 3
                               |                         | bind 0.0.0.0:8000 = 0
  0.3 ms                       |                         | listen 5 = 0
                               |                         | CLOSED -> LISTEN
  0.4 ms                       |                         | accept ...
 20.4 ms            socket = 3 |                         |
 20.6 ms               connect |                         |
             10.9.0.2:8000 ... |                         |
            CLOSED -> SYN-SENT |---------- SYN --------->| -> SYN-RECEIVED
 20.8 ms        -> ESTABLISHED |<------- SYN,ACK --------|
 20.9 ms           connect = 0 |--------- ACK 1 -------->| -> ESTABLISHED
                               |                         | accept = 4
                               |                         | 10.9.0.1:40000
-- The wire holds both FINs until both are sent --------------------------------
121.3 ms           close 3 = 0 |                         |
                 -> FIN-WAIT-1 |--- FIN,ACK ---] held #4 |
121.5 ms                       |                         | close 4 = 0
                               | held #5 ]--- FIN,ACK ---| -> FIN-WAIT-1
161.8 ms                       | #4 released ]- FIN,ACK \\|
                               |/ FIN,ACK -] #5 released |
                               | #4 \\-- FIN,ACK seq 1 -->| FIN-WAIT-1 -> CLOSING
161.9 ms FIN-WAIT-1 -> CLOSING |<-- FIN,ACK seq 1 --/ #5 |
162.1 ms                       | #6 /------ ACK 2 -------|
                               |------- ACK 2 ------\\ #7 |
162.2 ms -> TIME-WAIT (60.0 s) |<------ ACK 2 ------/ #6 |
162.3 ms                       | #7 \\------ ACK 2 ------>| -> TIME-WAIT (60.0 s)

+ both ends pass through CLOSING
x not met: one end is spared TIME-WAIT

The article (A9): "It ends well."
The run failed and proves nothing: both ends were in TIME-WAIT
`);
});

test("a call that fails says why beside its arguments", () => {
  expect(rowWith(restart(), "EADDRINUSE", 140)).toMatch(/│ = EADDRINUSE \(98\)$/);
  expect(rows(restart(), 140).join("\n")).toContain("server 2: bind 0.0.0.0:8000\n");
});

test("at 80 columns a call has room for its arguments and its result, however long the process's name", () => {
  const t = new TraceBuilder();
  const name = "server with SO_REUSEADDR";
  t.call("server", { name: "listen", fd: 3, backlog: 20 });
  t.call(`server/${name}`, { name: "setsockopt", fd: 3, option: "SO_REUSEADDR", value: 1 });
  t.call(`server/${name}`, { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 }, fails("EADDRINUSE"));
  const margin = rows(t.trace).map((line) => line.split("│").at(-1)!.trim());
  const text = margin.join(" ");
  expect(text).toContain(`${name}: setsockopt SO_REUSEADDR 1 = 0`);
  expect(text).toContain(`${name}: bind 0.0.0.0:8000 = EADDRINUSE (98)`);
});

test("calls are told apart by their process where a host has several, and only there", () => {
  const text = plain(restart(), 140);
  expect(text).toContain("│ server: listen 5 = 0");
  expect(text).toContain("│ server 2: socket = 3");
  expect(text).not.toContain("client: ");
});

test("so are notes about processes, also about those that never make a call", () => {
  const t = new TraceBuilder();
  t.call("server", { name: "fork", child: "child" }, ok(6531));
  t.note("process", "is a child of server", { host: "server", process: "child" });
  t.note("process", "is sent SIGKILL", { host: "server", process: "server" });
  t.note("process", "starts", { host: "client", process: "client" });
  const text = plain(t.trace, 120);
  expect(text).toContain("│ server: fork child = 6531");
  expect(text).toContain("│ child: is a child of server");
  expect(text).toContain("│ server: is sent SIGKILL");
  expect(text).toMatch(/ starts │/);
});

test("a call that waits is shown where it was made, and again where it returned", () => {
  const text = rows(restart(), 140);
  const made = text.findIndex((line) => line.endsWith("server: accept …"));
  const returned = text.findIndex((line) => line.endsWith("server: accept = 4 10.9.0.1:40000"));
  expect(made).toBeGreaterThan(0);
  expect(returned).toBeGreaterThan(made);
  expect(text.slice(made + 1, returned).join("\n")).toContain(" SYN ");
});

test("a call that never returned keeps its ellipsis", () => {
  const t = new TraceBuilder();
  t.begins("server", { name: "accept", fd: 3 });
  expect(rows(t.trace).at(-1)).toMatch(/│ accept …$/);
});

test("close, which does not wait, has its result at once, also if the peer was faster than its return", () => {
  const t = new TraceBuilder();
  const connection = new Connection(t);
  const close = t.begins("client", { name: "close", fd: 3 });
  connection.pass("client", ["FIN", "ACK"]);
  connection.pass("server", ["ACK"]);
  t.returns("client", close, ok());
  expect(plain(t.trace).match(/close/g)).toHaveLength(1);
  expect(rowWith(t.trace, "FIN")).toMatch(/close 3 = 0 │.*▶│$/);
});

test("a segment stays one straight arrow while only its sender acts", () => {
  const line = rowWith(restart(), "FIN,ACK seq 12 ack 12", 100);
  expect(line).toMatch(/ESTABLISHED → CLOSE-WAIT │◀─+ FIN,ACK seq 12 ack 12 ─+│ ESTABLISHED → FIN-WAIT-1$/);
});

test("everything that its arrival brings about stands at the arrow's head, however low that is", () => {
  const t = new TraceBuilder();
  t.call("client", { name: "connect", fd: 3, address: "192.168.100.100", port: 60000 });
  new Connection(t).pass("client", ["SYN"]);
  t.state("server/2", "CLOSED", "SYN-RECEIVED");
  t.note("output", "one more", { host: "server" });
  expect(rows(t.trace)).toEqual([
    "  0.1 ms               connect │                         │",
    "         192.168.100.100:60000 │                         │",
    "                           = 0 │────────── SYN ─────────▶│ CLOSED → SYN-RECEIVED",
    "                               │                         │ prints “one more”",
  ]);
});

test("what the wire does to a segment is said in its row, whatever the width", () => {
  for (const width of [80, 100, 140]) {
    const text = plain(oldDuplicate(), width);
    for (const word of ["held", "delayed", "modified #12", "expired", "under way"]) {
      expect(text).toMatch(new RegExp(`│.*(${word}).*│`));
    }
  }
  expect(plain(oldDuplicate(), 140)).toMatch(/#4\/2 released ▐─+ old PSH,ACK 1:5 \(4 bytes\) ▶│/);
  expect(plain(oldDuplicate(), 140)).toMatch(/PSH,ACK 1:5 \(4 bytes\) ─+╮ duplicated #4 │/);
});

test("a modified segment arrives with the numbers that it has now", () => {
  const text = rows(oldDuplicate(), 140).join("\n");
  expect(text).toMatch(/│ modified #12 ╭─+ ACK 4 ─+│/);
  expect(text).toMatch(/│◀─+ ACK 104 ─+╯ #12 │/);
});

test("the rule that dropped a segment is named where there is room", () => {
  expect(rowWith(lastAckLost(), "✗ dropped")).toContain("ACK 2");
  expect(rowWith(lastAckLost(), "✗ dropped by the wire", 120)).toContain("ACK 2");
  const t = new TraceBuilder();
  t.fate(new Connection(t).send("client", ["SYN"]), "dropped", { rule: "all SYNs" });
  expect(rowWith(t.trace, "SYN", 140)).toMatch(/│─+ SYN ─+✗ dropped by the wire \(all SYNs\) │/);
});

test("thousands of segments are one row, with their bytes, and with the calls that moved them", () => {
  const text = rows(bulk(), 80);
  expect(text.length).toBeLessThan(25);
  expect(text.join("\n")).toContain(`\
                     1 × write │     … 256 segments,     │ 86 × read
                               │    8,388,608 bytes →    │
                               │     … 86 segments ←     │
`);
});

test("few segments are not folded", () => {
  expect(plain(bulk(1 / 8))).not.toContain("…  ");
  expect(plain(bulk(1 / 8))).toMatch(/#4 ╰─+ ACK 1:32769 ─+▶│/);
});

test("a timer's firing stands where the segment that it sends again begins", () => {
  expect(rowWith(lastAckLost(), "retransmit")).toMatch(/◀─.*FIN,ACK.*│ retransmit fired$/);
  expect(rowWith(lastAckLost(), "TIME-WAIT timer restarted", 140)).toContain("(60.0 s) │◀─");
});

test("a timer that only starts is not worth a row, unless no state told of it", () => {
  const t = new TraceBuilder();
  t.timer("client/1", "retransmit", "started", 200);
  t.timer("client/1", "timewait", "started", 60_000);
  t.timer("client/1", "persist", "started", 200);
  const text = plain(t.trace, 120);
  expect(text).not.toContain("retransmit");
  expect(text).toContain("TIME-WAIT timer started (60.0 s)");
  expect(text).toContain("persist timer started (200 ms)");
});

test("time that passes without anything happening is a broken life line", () => {
  const text = rows(restart());
  const gap = text.findLastIndex((line) => line.includes("┊"));
  expect(text[gap + 1]).toMatch(/^60\.924 s .*TIME-WAIT → CLOSED$/);
});

test("a host's connections are told apart where it has several", () => {
  const t = new TraceBuilder();
  t.state("server/1", "CLOSED", "LISTEN");
  t.state("server/2", "CLOSED", "ESTABLISHED");
  expect(plain(t.trace, 120)).not.toContain("server/");
  t.state("server/3", "CLOSED", "ESTABLISHED");
  expect(plain(t.trace, 120)).toContain("server/3: CLOSED → ESTABLISHED");
});

test("life lines are for the two hosts that the segments run between; a third has lines across", () => {
  const t = new TraceBuilder({}, ["observer", "client", "server"]);
  new Connection(t).pass("server", ["ACK"]);
  t.call("observer", { name: "connect", fd: 3, address: "10.9.0.2", port: 8000 }, fails("ECONNREFUSED"));
  const packet = new Connection(t).packet("client", ["SYN"]);
  t.fate(t.sent({ ...packet, to: "observer" }), "delivered", { host: "observer" });
  const text = plain(t.trace);
  expect(text).toMatch(/^ +client +server$/m);
  expect(text).toContain("· observer: connect 10.9.0.2:8000 = ECONNREFUSED (111)");
  expect(text).toContain("· client → observer #2 SYN: sent");
  expect(text).toContain("· client → observer #2 SYN: delivered");
});

test("up to eight expectations have a line each; of more, the states that were waited for are told in short", () => {
  const t = new TraceBuilder();
  const states = ["ESTABLISHED", "FIN-WAIT-2", "TIME-WAIT", "CLOSED"];
  for (const state of states) for (const socket of ["client/1", "server/2"]) t.expect(`${socket} is in ${state}`);
  expect(plain(t.trace).match(/^✓/gm)).toHaveLength(8);
  t.expect("the port is in use");
  t.expect("client/1 is in LAST-ACK", false);
  expect(plain(t.trace)).toContain(`
✓ client/1 is in ESTABLISHED, then FIN-WAIT-2, then TIME-WAIT, then CLOSED
✓ server/2 is in ESTABLISHED, then FIN-WAIT-2, then TIME-WAIT, then CLOSED
✓ the port is in use
✗ not met: client/1 is in LAST-ACK
`);
});

test("a trace with nothing in it still has a verdict", () => {
  const t = new TraceBuilder({}, []);
  t.trace.outcome = { status: "not run", reason: "this machine has no network namespaces" };
  expect(plain(t.trace)).toContain("\nNot run: this machine has no network namespaces\n");
});

test.each([
  [["A1"], "yes", "A1 holds: so it is."],
  [["A1", "A2"], "yes", "A1 and A2 hold: so it is."],
  [["A1"], "no", "A1 does not hold on this kernel: so it is."],
  [["A1", "A2", "A3"], "no", "A1, A2 and A3 do not hold on this kernel: so it is."],
  [["A1"], "partly", "A1 holds partly on this kernel: so it is."],
  [[], "yes", "so it is."],
] as const)("claims %j that fared %s", (claims, holds, sentence) => {
  expect(plain(new TraceBuilder({ claims }).verdict(holds, "so it is."))).toContain(`\n${sentence}\n`);
});

test("colours tell losses, what is held, and the phases of a connection", () => {
  const line = (trace: Trace, text: string) =>
    drawLadder(trace, { width: 120, colour: true })
      .split("\n")
      .find((candidate) => candidate.includes(text))!;
  const painted = (text: string, code: number) => new RegExp(`\\[${code}m[^\\[]*${text}`);
  expect(line(lastAckLost(), "dropped")).toMatch(painted("dropped", 31));
  expect(line(simultaneousClose(), "held #4")).toMatch(painted("held #4", 33));
  expect(line(restart(), "EADDRINUSE")).toMatch(painted("= EADDRINUSE", 31));
  expect(line(restart(), "→ TIME-WAIT")).toMatch(painted("→ TIME-WAIT", 34));
});
