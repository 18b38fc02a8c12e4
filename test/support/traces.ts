/** Runs as the lab would have recorded them, for the tests of what is drawn from them. */
import { Connection, fails, got, ok, TraceBuilder } from "./trace-builder.ts";
import { ENDS } from "./packets.ts";
import type { Trace } from "../../src/trace/trace.ts";

const FIN_ACK = ["FIN", "ACK"] as const;

/** A server that listens, and a client that is connected to it. */
export function connected(t: TraceBuilder, server = "server"): Connection {
  const connection = new Connection(t);
  t.call(server, { name: "socket", family: "IPv4" }, ok(3));
  t.call(server, { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 });
  t.call(server, { name: "listen", fd: 3, backlog: 5 });
  t.state("server/1", "CLOSED", "LISTEN");
  const accept = t.begins(server, { name: "accept", fd: 3 });
  t.wait(20).call("client", { name: "socket", family: "IPv4" }, ok(3));
  const connect = t.begins("client", { name: "connect", fd: 3, address: "10.9.0.2", port: 8000 });
  const syn = connection.send("client", ["SYN"]);
  t.state("client/1", "CLOSED", "SYN-SENT");
  connection.arrived(syn, "client");
  t.state("server/2", "CLOSED", "SYN-RECEIVED");
  connection.pass("server", ["SYN", "ACK"]);
  t.state("client/1", "SYN-SENT", "ESTABLISHED");
  const ack = connection.send("client", ["ACK"]);
  t.returns("client", connect, ok());
  connection.arrived(ack, "client");
  t.state("server/2", "SYN-RECEIVED", "ESTABLISHED");
  t.returns(server, accept, ok(4, { endpoint: { address: "10.9.0.1", port: 40000 } }));
  return connection;
}

/** The server closes first, waits in TIME-WAIT, and its successor cannot have the port. */
export function restart(): Trace {
  const t = new TraceBuilder({
    id: "restart-without-reuseaddr",
    title: "A server that closed first is started again at once",
    claims: ["A3", "A4"],
    article: "If the server closes first and is restarted within the 2MSL, bind fails with “Address already in use”.",
  });
  t.note("story", "The server takes a connection, and both say who they are");
  t.note("setting", "net.ipv4.tcp_tw_reuse = 0", { host: "client" });
  t.note("process", "starts", { host: "server", process: "server" });
  const connection = connected(t);
  const serverReads = t.begins("server", { name: "read", fd: 4, length: 20 });
  t.begins("client", { name: "write", fd: 3, data: "I am client" });
  const hello = connection.send("client", ["PSH", "ACK"], { data: "I am client" });
  t.returns("client", t.events.findLast(({ kind }) => kind === "call")!.n, ok(11));
  connection.arrived(hello, "client");
  t.returns("server", serverReads, got("I am client"));
  connection.pass("server", ["ACK"]);
  t.note("output", "client says: I am client", { host: "server", process: "server" });
  const clientReads = t.begins("client", { name: "read", fd: 3, length: 20 });
  const write = t.begins("server", { name: "write", fd: 4, data: "I am server" });
  connection.pass("server", ["PSH", "ACK"], { data: "I am server" });
  t.returns("client", clientReads, got("I am server"));
  t.returns("server", write, ok(11));
  connection.pass("client", ["ACK"]);
  t.wait(1000).note("story", "The server closes first");
  const close = t.begins("server", { name: "close", fd: 4 });
  const fin = connection.send("server", FIN_ACK);
  t.state("server/2", "ESTABLISHED", "FIN-WAIT-1");
  t.returns("server", close, ok());
  connection.arrived(fin, "server");
  t.state("client/1", "ESTABLISHED", "CLOSE-WAIT");
  connection.pass("client", ["ACK"]);
  t.state("server/2", "FIN-WAIT-1", "FIN-WAIT-2");
  t.call("client", { name: "read", fd: 3, length: 20 }, got(""));
  const close2 = t.begins("client", { name: "close", fd: 3 });
  const fin2 = connection.send("client", FIN_ACK);
  t.state("client/1", "CLOSE-WAIT", "LAST-ACK");
  t.returns("client", close2, ok());
  connection.arrived(fin2, "client");
  t.state("server/2", "FIN-WAIT-2", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  connection.pass("server", ["ACK"]);
  t.state("client/1", "LAST-ACK", "CLOSED");
  t.begins("server", { name: "exit", status: 0, by: "exit" });
  t.state("server/1", "LISTEN", "CLOSED");
  t.note("process", "ends with exit status 0", { host: "server", process: "server" });
  t.wait(200).note("story", "A second server wants the port while the first's connection is still in TIME-WAIT");
  t.call("server/server 2", { name: "socket", family: "IPv4" }, ok(3));
  t.call("server/server 2", { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 }, fails("EADDRINUSE"));
  t.call("server/server 2", { name: "setsockopt", fd: 3, option: "SO_REUSEADDR", value: 1 });
  t.call("server/server 2", { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 });
  t.state("server/3", "CLOSED", "BOUND");
  t.wait(59_700).timer("server/2", "timewait", "expired");
  t.state("server/2", "TIME-WAIT", "CLOSED");
  t.expect("bind fails with EADDRINUSE while the old connection is in TIME-WAIT");
  t.expect("bind succeeds with SO_REUSEADDR");
  return t.verdict(
    "partly",
    "bind failed for as long as TIME-WAIT lasted, but SO_REUSEADDR, which the article does not name, makes it succeed at once.",
  );
}

/** The last ACK of a close is lost, and the FIN sent again. */
export function lastAckLost(): Trace {
  const t = new TraceBuilder({
    id: "last-ack-lost",
    title: "The last ACK is lost",
    claims: ["A8"],
    article: "TIME_WAIT is there so that the last ACK can be sent again if it is lost.",
  });
  const connection = connected(t);
  t.wait(100).note("story", "The client closes first; the wire drops its last ACK");
  const close = t.begins("client", { name: "close", fd: 3 });
  const fin = connection.send("client", FIN_ACK);
  t.state("client/1", "ESTABLISHED", "FIN-WAIT-1");
  t.returns("client", close, ok());
  connection.arrived(fin, "client");
  t.state("server/2", "ESTABLISHED", "CLOSE-WAIT");
  connection.pass("server", ["ACK"]);
  t.state("client/1", "FIN-WAIT-1", "FIN-WAIT-2");
  const close2 = t.begins("server", { name: "close", fd: 4 });
  const fin2 = connection.send("server", FIN_ACK);
  t.state("server/2", "CLOSE-WAIT", "LAST-ACK");
  t.returns("server", close2, ok());
  connection.arrived(fin2, "server");
  t.state("client/1", "FIN-WAIT-2", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  const last = connection.send("client", ["ACK"]);
  t.fate(last, "dropped", { rule: "the first ACK after a FIN" });
  t.timer("server/2", "retransmit", "started", 205);
  t.wait(205).timer("server/2", "retransmit", "expired");
  connection.pass("server", FIN_ACK, { seq: 1 });
  t.timer("client/1", "timewait", "restarted", 60_000);
  connection.pass("client", ["ACK"]);
  t.state("server/2", "LAST-ACK", "CLOSED");
  t.expect("the server sends its FIN again");
  t.expect("the client answers with an ACK");
  return t.verdict("yes", "the server's FIN came again after 205 ms; the client, in TIME-WAIT, acknowledged it again.");
}

/** Both close while the wire holds both FINs: they cross. */
export function simultaneousClose(): Trace {
  const t = new TraceBuilder({ id: "simultaneous-close", title: "Both close at once", claims: ["A9"] });
  const connection = connected(t);
  t.wait(100).note("story", "The wire holds both FINs until both are sent");
  const fins = (["client", "server"] as const).map((host) => {
    const close = t.begins(host, { name: "close", fd: host === "client" ? 3 : 4 });
    const fin = connection.send(host, FIN_ACK);
    t.fate(fin, "held", { rule: "FINs" });
    t.state(host === "client" ? "client/1" : "server/2", "ESTABLISHED", "FIN-WAIT-1");
    t.returns(host, close, ok());
    return fin;
  });
  t.wait(40);
  t.fate(fins[0]!, "released");
  t.fate(fins[1]!, "released");
  connection.arrived(fins[0]!, "client");
  t.state("server/2", "FIN-WAIT-1", "CLOSING");
  connection.arrived(fins[1]!, "server");
  t.state("client/1", "FIN-WAIT-1", "CLOSING");
  const acks = [connection.send("server", ["ACK"]), connection.send("client", ["ACK"])] as const;
  connection.arrived(acks[0], "server");
  t.state("client/1", "CLOSING", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  connection.arrived(acks[1], "client");
  t.state("server/2", "CLOSING", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  t.expect("both ends pass through CLOSING");
  t.expect("one end is spared TIME-WAIT", false);
  t.trace.outcome = { status: "failed", reason: "both ends were in TIME-WAIT" };
  return t.trace;
}

/** A segment of a first connection is held, and let go into a second one between the same ports. */
export function oldDuplicate(): Trace {
  const t = new TraceBuilder({
    id: "old-duplicate",
    title: "An old duplicate comes to a new connection",
    claims: ["A7"],
    article: "Without TIME_WAIT, data of an old connection could be taken for data of a new one.",
  });
  const first = connected(t);
  t.call("client", { name: "write", fd: 3, data: "old!" }, ok(4));
  const old = first.send("client", ["PSH", "ACK"], { data: "old!" });
  t.fate(old, "duplicated", { rule: "copy the first data", copy: 2 });
  t.fate(old, "held", { rule: "hold the copy", copy: 2 });
  first.arrived(old, "client");
  first.pass("server", ["ACK"]);
  first.pass("client", ["RST", "ACK"]);
  t.state("client/1", "ESTABLISHED", "CLOSED");
  t.state("server/2", "ESTABLISHED", "CLOSED");
  t.wait(500).note("story", "A second connection between the same two ports");
  const second = new Connection(t, { initial: [3_200_000_000, 77] });
  second.pass("client", ["SYN"]);
  second.pass("server", ["SYN", "ACK"]);
  second.pass("client", ["ACK"]);
  t.fate(old, "released", { rule: "hold the copy", copy: 2 });
  t.fate(old, "delivered", { copy: 2, host: "server" });
  second.pass("server", ["ACK"]);
  const other = second.send("client", ["ACK"], { data: "new" });
  t.fate(other, "delayed", { byUs: 200_000 });
  t.wait(200);
  second.arrived(other, "client");
  const changed = second.packet("server", ["ACK"]);
  const modified = t.sent(changed);
  t.fate(modified, "modified", { packet: { ...changed, ack: changed.ack + 100 } });
  t.fate(modified, "delivered", { host: "client" });
  const farewell = second.send("client", FIN_ACK);
  t.fate(farewell, "expired");
  second.send("client", FIN_ACK, { seq: 4 });
  return t.verdict(
    "no",
    "the new connection's sequence numbers were far from the old ones, so the old segment was answered with an ACK and thrown away.",
  );
}

/** Data, in segments that are on their way side by side; the wire may lose one, which is sent again at once. */
export function bulk(megabytes = 8, lost = -1): Trace {
  const t = new TraceBuilder({ id: "bulk", title: "Much data, then a close" });
  t.stepUs = 2;
  const connection = connected(t);
  const amount = megabytes * 1_048_576;
  const write = t.begins("client", { name: "write", fd: 3, data: { repeat: "abc", length: amount } });
  let count = 0;
  for (let left = amount; left > 0;) {
    const burst: number[] = [];
    for (let i = 0; i < 3 && left > 0; i++) {
      const length = Math.min(left, 32_768);
      if (count++ === lost) {
        t.fate(connection.send("client", ["ACK"], { length }), "dropped", { rule: "lose one" });
        burst.push(connection.send("client", ["ACK"], { length, seq: 1 + amount - left }));
      } else burst.push(connection.send("client", ["ACK"], { length }));
      left -= length;
    }
    for (const segment of burst) connection.arrived(segment, "client");
    t.call("server", { name: "read", fd: 4, length: 98_304 }, ok(98_304, { data: { length: 98_304, head: "abcabc" } }));
    connection.pass("server", ["ACK"]);
  }
  t.returns("client", write, ok(amount));
  t.call("client", { name: "close", fd: 3 });
  connection.pass("client", FIN_ACK);
  t.state("client/1", "ESTABLISHED", "FIN-WAIT-1");
  return t.verdict("yes", "all of it arrived.");
}

/** Names and output that nobody would choose: long, foreign, hostile. */
export const HOSTILE = {
  process: "server </svg></script><script>alert(1)</script> \u202Egnp.exe & \"quoted\" 'name' of a program",
  output:
    "\u001B[31mred\u001B[0m ]]> <!-- --> <img src=x onerror=alert(2)> \u0000\u2066 日本語のとても長い行 \uFFFF \uD800 😀",
  payload: "</title><script>document.title='x'</script>",
};

/** Five connections at once, long names, hostile text everywhere. */
export function crowded(): Trace {
  const t = new TraceBuilder({
    id: "crowded & <b>",
    title: `Many sockets, ${HOSTILE.payload}`,
    claims: [HOSTILE.payload, HOSTILE.output],
    article: HOSTILE.output,
  });
  const evil = `server/${HOSTILE.process}`;
  t.note("story", `${HOSTILE.output} ${"and so on, a story that goes far beyond a line ".repeat(6)}`);
  t.note("process", HOSTILE.output, { host: "server", process: HOSTILE.process });
  t.state("server/1", "CLOSED", "BOUND");
  t.state("server/1", "BOUND", "LISTEN");
  const connections = [1, 2, 3, 4, 5].map((i) => {
    const connection = new Connection(t, {
      clientPort: ENDS.client.port + i,
      initial: [i * 3_735_928_559, 195_936_478],
    });
    const [socket, peer, process] = [
      `client/${i}`,
      `server/${i + 1}`,
      `client/client with-a-name-that-does-not-end-${i}`,
    ];
    const connect = t.begins(process, {
      name: "connect",
      fd: 2 + i,
      address: ENDS.server.ipv4,
      port: ENDS.server.port,
    });
    t.state(socket, "CLOSED", "SYN-SENT");
    connection.pass("client", ["SYN"]);
    t.state(peer, "CLOSED", "SYN-RECEIVED");
    connection.pass("server", ["SYN", "ACK"]);
    t.state(socket, "SYN-SENT", "ESTABLISHED");
    t.returns(process, connect, ok());
    connection.pass("client", ["ACK"]);
    t.state(peer, "SYN-RECEIVED", "ESTABLISHED");
    return connection;
  });
  t.call(evil, { name: "write", fd: 4, data: HOSTILE.payload }, fails("EPIPE"));
  t.note("output", HOSTILE.output, { host: "server", process: HOSTILE.process });
  t.note("output", "x".repeat(400), { host: "client", process: "client" });
  // Six in flight at once one way and four the other way, and three that are held.
  const [connection] = connections as [Connection];
  const there = [1, 2, 3, 4, 5, 6].map(() => connection.send("client", ["PSH", "ACK"], { length: 1 }));
  const back = [1, 2, 3, 4].map(() => connection.send("server", ["FIN", "PSH", "URG", "ACK"], { length: 9 }));
  for (const each of there.slice(0, 3)) t.fate(each, "held", { rule: HOSTILE.output });
  for (const each of there.slice(3)) connection.arrived(each, "client");
  for (const each of back.toReversed()) connection.arrived(each, "server");
  for (const each of there.slice(0, 3)) {
    t.fate(each, "released");
    connection.arrived(each, "client");
  }
  t.expect(HOSTILE.payload, false);
  t.trace.outcome = { status: "not run", reason: `${HOSTILE.payload} ${HOSTILE.output}` };
  return t.trace;
}

/** All of them: what the views are tested and looked at with. */
export function sampleTraces(): Trace[] {
  return [restart(), lastAckLost(), simultaneousClose(), oldDuplicate(), bulk(8, 128), crowded()];
}
