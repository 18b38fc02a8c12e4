/** Runs as the lab would have recorded them, for the tests of what is drawn from them. */
import { Connection, fails, got, ok, TraceBuilder } from "./trace-builder.ts";
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
  t.note("process", "server started", { host: "server", process: "server" });
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
  t.note("process", "server ended, exit status 0", { host: "server", process: "server" });
  t.wait(200).note("story", "A second server wants the port while the first's connection is still in TIME-WAIT");
  t.call("server/server 2", { name: "socket", family: "IPv4" }, ok(3));
  t.call("server/server 2", { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 }, fails("EADDRINUSE"));
  t.call("server/server 2", { name: "setsockopt", fd: 3, option: "SO_REUSEADDR", value: 1 });
  t.call("server/server 2", { name: "bind", fd: 3, address: "0.0.0.0", port: 8000 });
  t.wait(59_700).state("server/2", "TIME-WAIT", "CLOSED");
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
  t.fate(old, "duplicated", { copy: 2 });
  t.fate(old, "held", { copy: 2 });
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
  t.fate(old, "released", { copy: 2 });
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

/** Eight megabytes, in segments that are on their way side by side. */
export function bulk(megabytes = 8): Trace {
  const t = new TraceBuilder({ id: "bulk", title: "Much data, then a close" });
  t.stepUs = 2;
  const connection = connected(t);
  const amount = megabytes * 1_048_576;
  const write = t.begins("client", { name: "write", fd: 3, data: { repeat: "abc", length: amount } });
  for (let left = amount; left > 0;) {
    const burst: number[] = [];
    for (let i = 0; i < 3 && left > 0; i++) {
      const length = Math.min(left, 32_768);
      burst.push(connection.send("client", ["ACK"], { length }));
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
