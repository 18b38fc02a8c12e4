/** What packetdrill's notation says of a run. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ERRNO } from "../../src/call/errno.ts";
import { ERROR_TEXTS } from "../../src/view/error-texts.ts";
import { formatPacketdrill } from "../../src/view/packetdrill.ts";
import { packetdrillAnswer, packetdrillCall } from "../../src/view/packetdrill-call.ts";
import { packetdrillSegment } from "../../src/view/packetdrill-segment.ts";
import { randomTrace } from "../support/random-trace.ts";
import { Connection, fails, ok, TraceBuilder } from "../support/trace-builder.ts";
import { lastAckLost, oldDuplicate, restart } from "../support/traces.ts";
import type { Call } from "../../src/call/call.ts";

function lines(text: string): string[] {
  return text.split("\n");
}

test("the loss of the last ACK, as the server lived through it", () => {
  expect(formatPacketdrill(lastAckLost())).toBe(`\
// last-ack-lost: The last ACK is lost
// Linux 6.18.0, as seen by server
// process server
+0.00005 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
+0.0001 bind(3, {sa_family = AF_INET, sin_port = htons(8000), sin_addr = inet_addr("0.0.0.0")}, 16) = 0
+0.0001 listen(3, 5) = 0
// server/1: CLOSED -> LISTEN
+0.00015...0.0209 accept(3, ..., ...) = 4
+0.0203 < S 0:0(0) win 502 <mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7>
// server/2: CLOSED -> SYN-RECEIVED
+0.0001 > S. 0:0(0) ack 1 win 502 <mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7>
+0.00025 < . 1:1(0) ack 1 win 502 <nop,nop,TS val 1010 ecr 1000>
// server/2: SYN-RECEIVED -> ESTABLISHED
// The client closes first; the wire drops its last ACK
+0.1004 < F. 1:1(0) ack 1 win 502 <nop,nop,TS val 1010 ecr 1000>
// server/2: ESTABLISHED -> CLOSE-WAIT
+0.0001 > . 1:1(0) ack 2 win 502 <nop,nop,TS val 1010 ecr 1000>
+0.00015 close(4) = 0
+0.00005 > F. 1:1(0) ack 2 win 502 <nop,nop,TS val 1010 ecr 1000>
// server/2: CLOSE-WAIT -> LAST-ACK
// < . 2:2(0) ack 2 win 502 <nop,nop,TS val 1010 ecr 1000>: dropped by the wire (the first ACK after a FIN)
// server/2: retransmit timer fired
+0.20545 > F. 1:1(0) ack 2 win 502 <nop,nop,TS val 1010 ecr 1000>
+0.0002 < . 2:2(0) ack 2 win 502 <nop,nop,TS val 1010 ecr 1000>
// server/2: LAST-ACK -> CLOSED
// met: the server sends its FIN again
// met: the client answers with an ACK
// A8 holds: the server's FIN came again after 205 ms; the client, in TIME-WAIT, acknowledged it again.
`);
});

test("the peer's view has the arrows the other way round", () => {
  const server = lines(formatPacketdrill(lastAckLost(), { host: "server" }));
  const client = lines(formatPacketdrill(lastAckLost(), { host: "client" }));
  const segments = (view: string[], arrow: string) =>
    view
      .filter((line) => line.startsWith("+") && line.includes(` ${arrow} `))
      .map((line) => line.replace(/^\S+ . /, ""));
  expect(segments(client, "<")).toEqual(segments(server, ">"));
  // The dropped ACK is one that the client sent, and that never came.
  const lost = segments(client, ">").length - segments(server, "<").length;
  expect(lost).toBe(1);
});

test("times are relative to the line before, and a call that waits says until when", () => {
  const text = lines(formatPacketdrill(restart()));
  expect(text).toContain("+0.00015...0.0209 accept(3, ..., ...) = 4");
  expect(text.filter((line) => line.includes("close(4)"))).toEqual(["+1.0001 close(4) = 0"]);
});

test("a call that fails has its errno and its words", () => {
  expect(formatPacketdrill(restart())).toContain(
    '+0.0001 bind(3, {sa_family = AF_INET, sin_port = htons(8000), sin_addr = inet_addr("0.0.0.0")}, 16)' +
      " = -1 EADDRINUSE (Address already in use)\n",
  );
});

test("every errno that the project knows has its words", () => {
  expect(Object.keys(ERROR_TEXTS).sort()).toEqual(Object.keys(ERRNO).sort());
  expect(packetdrillAnswer({ name: "close", fd: 3 }, { ok: false, errno: 200, code: "errno 200" })).toBe(
    "-1 E200 (Unknown error 200)",
  );
});

test.each<[Call, Parameters<typeof packetdrillAnswer>[1], string]>([
  [{ name: "socket", family: "IPv6" }, ok(3), "socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 3"],
  [{ name: "bind", fd: 3, address: "::", port: 80 }, ok(), "bind(3, ..., ...) = 0"],
  [
    { name: "setsockopt", fd: 4, option: "SO_LINGER", value: 0 },
    ok(),
    "setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
  ],
  [
    { name: "setsockopt", fd: 4, option: "SO_LINGER", value: -1 },
    ok(),
    "setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=0, linger=0}, 8) = 0",
  ],
  [
    { name: "setsockopt", fd: 4, option: "TCP_LINGER2", value: 1 },
    ok(),
    "setsockopt(4, SOL_TCP, TCP_LINGER2, [1], 4) = 0",
  ],
  [{ name: "getsockopt", fd: 4, option: "SO_ERROR" }, ok(104), "getsockopt(4, SOL_SOCKET, SO_ERROR, [104], [4]) = 0"],
  [{ name: "write", fd: 4, data: "ö", more: true }, ok(2), "send(4, ..., 2, MSG_MORE) = 2"],
  [
    { name: "shutdown", fd: 4, how: "write" },
    fails("ENOTCONN"),
    "shutdown(4, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)",
  ],
  [{ name: "ioctl", fd: 4, request: "SIOCINQ" }, ok(20), "ioctl(4, SIOCINQ, [20]) = 0"],
  [
    { name: "poll", fd: 4 },
    ok(1, { events: ["IN", "RDHUP"] }),
    "poll([{fd=4, events=..., revents=POLLIN|POLLRDHUP}], 1, 0) = 1",
  ],
  [{ name: "poll", fd: 4 }, ok(0, { events: [] }), "poll([{fd=4, events=..., revents=0}], 1, 0) = 0"],
])("%j", (call, result, text) => {
  expect(`${packetdrillCall(call, result).text} = ${packetdrillAnswer(call, result)}`).toBe(text);
});

test("what the notation has no word for is a comment", () => {
  const t = new TraceBuilder();
  t.call("server", { name: "fork", child: "child\n+0 close(3) = 0" }, ok(7));
  t.call("server", { name: "setuid", uid: 1000 });
  t.begins("server", { name: "accept", fd: 3 });
  const text = lines(formatPacketdrill(t.trace));
  expect(text).toContain("// fork() as child\\n+0 close(3) = 0 = 7");
  expect(text).toContain("// setuid(1000) = 0");
  expect(text).toContain("// accept(3, ..., ...) did not return");
});

test("flags are letters, ACK is a point", () => {
  const connection = new Connection(new TraceBuilder());
  const written = (...flags: Parameters<Connection["packet"]>[1]) =>
    packetdrillSegment({ ...connection.packet("client", flags), bytes: "" }, { seq: 1, incarnation: 1 }).split(" ")[0];
  expect(written("SYN", "ACK")).toBe("S.");
  expect(written("FIN", "PSH", "ACK")).toBe("FP.");
  expect(written("RST")).toBe("R");
  expect(written("ACK")).toBe(".");
  expect(written()).toBe("-");
});

test("options come from the packet's bytes, also where the snap length cut its data; without good bytes, an ellipsis", () => {
  const connection = new Connection(new TraceBuilder());
  const packet = connection.packet("client", ["ACK"], { length: 1000 });
  expect(packet.bytes.length / 2).toBeLessThan(packet.length);
  const relative = { seq: 1, ack: 1, incarnation: 1 };
  expect(packetdrillSegment(packet, relative)).toBe(". 1:1001(1000) ack 1 win 502 <nop,nop,TS val 1010 ecr 1000>");
  expect(packetdrillSegment({ ...packet, bytes: "45" }, relative)).toBe(". 1:1001(1000) ack 1 win 502 <...>");
  expect(packetdrillSegment({ ...packet, bytes: "no hex" }, relative)).toContain("<...>");
  expect(packetdrillSegment({ ...packet, length: 1e12 }, relative)).toContain("<...>");
});

test("what the wire did is told in comments", () => {
  const text = formatPacketdrill(oldDuplicate());
  expect(text).toMatch(/^\/\/ < P\. 1:5\(4\) ack 1 .*>: held by the wire, copy 2 \(hold the copy\)$/m);
  expect(text).toMatch(/^\/\/ < F\. 4:4\(0\) ack 1 .*>: expired on the wire: no hops left$/m);
  expect(formatPacketdrill(oldDuplicate(), { host: "client" })).toMatch(/^\+\S+ < \. 1:1\(0\) ack 104 /m);
});

test("every line of every run is a comment, a call or a segment", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.constantFrom("a\nb", "*/", '"'));
  fc.assert(
    fc.property(randomTrace(text), (trace) => {
      for (const line of lines(formatPacketdrill(trace, { host: "client" })).slice(0, -1)) {
        expect(line).toMatch(
          /^(\/\/ |\+\d+\.\d{3,6}(\.\.\.\d+\.\d{3,6})? ([<>] [-SFRPUEW.]+ -?\d+:-?\d+\(\d+\) |[a-z]+\(.*\) = ))/u,
        );
      }
    }),
  );
});

test("a host that the trace does not have is refused", () => {
  expect(() => formatPacketdrill(restart(), { host: "nobody" })).toThrow(RangeError);
});
