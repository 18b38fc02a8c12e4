/** Traces such as experiments leave them: what the views are tested and looked at with. */
import type { Trace } from "../../src/trace/trace.ts";
import { EPHEMERAL, TraceBuilder } from "./page-builder.ts";

const MSS = 1448;
const CLIENT_ISN = 3_735_928_559;
const SERVER_ISN = 195_936_478;
const at = { address: "10.9.0.2", port: 8000 };

/** A listener, and a connection to it. The numbers that follow: 1 and 1 of the two. */
function connected(b: TraceBuilder): TraceBuilder {
  b.note("setting", "net.ipv4.tcp_tw_reuse = 0", { host: "client" }).after(40);
  b.note("story", "A server listens, a client connects").after(20);
  b.note("process", "server started", { host: "server", process: "server" }).after(60);
  b.does("server", { name: "socket", family: "IPv4" }, { value: 3 }, "server/1").after(20);
  const bind = b.call("server", { name: "bind", fd: 3, ...at }, "server/1");
  b.after(8).state("server/1", "BOUND").returns(bind).after(20);
  const listen = b.call("server", { name: "listen", fd: 3, backlog: 20 }, "server/1");
  b.after(8).state("server/1", "LISTEN").returns(listen).after(20);
  const accept = b.call("server", { name: "accept", fd: 3 }, "server/1");
  b.after(200).note("process", "client started", { host: "client", process: "client" }).after(30);
  b.does("client", { name: "socket", family: "IPv4" }, { value: 3 }, "client/1").after(20);
  b.endpoints("client/1", EPHEMERAL, 8000);
  const connect = b.call("client", { name: "connect", fd: 3, ...at }, "client/1");
  b.after(15).state("client/1", "SYN-SENT");
  b.passes({ from: "client", flags: ["SYN"], seq: CLIENT_ISN });
  b.after(10).endpoints("server/2", 8000, EPHEMERAL).state("server/2", "SYN-RECEIVED");
  b.passes({ from: "server", flags: ["SYN", "ACK"], seq: SERVER_ISN, ack: CLIENT_ISN + 1 });
  b.after(5).state("client/1", "ESTABLISHED").returns(connect);
  b.passes({ from: "client", flags: ["ACK"], seq: CLIENT_ISN + 1, ack: SERVER_ISN + 1 });
  b.after(5).state("server/2", "ESTABLISHED");
  b.returns(accept, { value: 4, endpoint: { address: "10.9.0.1", port: EPHEMERAL } });
  return b.after(50);
}

const fromClient = (seq: number, ack: number) => ({ from: "client", seq: CLIENT_ISN + seq, ack: SERVER_ISN + ack });
const fromServer = (seq: number, ack: number) => ({ from: "server", seq: SERVER_ISN + seq, ack: CLIENT_ISN + ack });

function greeted(b: TraceBuilder): TraceBuilder {
  b.does("client", { name: "write", fd: 3, data: "I am client\n" }, { value: 12 }, "client/1").after(4);
  b.passes({ ...fromClient(1, 1), flags: ["PSH", "ACK"], length: 12 });
  b.after(3).passes({ ...fromServer(1, 13), flags: ["ACK"] });
  const data = { length: 12, head: "I am client\\x0a" };
  b.does("server", { name: "read", fd: 4, length: 64 }, { value: 12, data }, "server/2").after(8);
  b.note("output", "client said: I am client", { host: "server", process: "server" });
  return b.after(2_000_000);
}

/** The server closes first, keeps TIME-WAIT, and its next incarnation can't have the port. */
export function normalClose(): Trace {
  const b = greeted(connected(new TraceBuilder("time-wait-refuses-bind", "TIME-WAIT keeps a port from being bound")));
  b.note("story", "The server closes first").after(10);
  const close = b.call("server", { name: "close", fd: 4 }, "server/2");
  b.after(6).state("server/2", "FIN-WAIT-1");
  const fin = b.sends({ ...fromServer(1, 13), flags: ["FIN", "ACK"] });
  b.after(3).returns(close).after(80).arrives(fin).after(3).state("client/1", "CLOSE-WAIT");
  b.passes({ ...fromClient(13, 2), flags: ["ACK"] }).after(3);
  b.state("server/2", "FIN-WAIT-2", { kind: "timewait", leftMs: 59_997 }).after(900);
  b.does("client", { name: "read", fd: 3, length: 64 }, { value: 0, data: { length: 0, head: "" } }, "client/1");
  b.after(20);
  const last = b.call("client", { name: "close", fd: 3 }, "client/1");
  b.after(6).state("client/1", "LAST-ACK");
  const fin2 = b.sends({ ...fromClient(13, 2), flags: ["FIN", "ACK"] });
  b.after(3).returns(last).after(80).arrives(fin2).after(3);
  b.state("server/2", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  b.passes({ ...fromServer(2, 14), flags: ["ACK"] })
    .after(3)
    .state("client/1", "CLOSED")
    .after(30);
  b.does("server", { name: "close", fd: 3 }, {}, "server/1").state("server/1", "CLOSED");
  b.note("process", "server ended with status 0", { host: "server", process: "server" }).after(400);
  b.note("story", "It is started again at once").after(80);
  b.does("server 2", { name: "socket", family: "IPv4" }, { value: 3 }, "server/3").after(20);
  b.does("server 2", { name: "bind", fd: 3, ...at }, "EADDRINUSE", "server/3").after(40);
  b.note("expectation", "bind answers EADDRINUSE while the connection is in TIME-WAIT", { met: true });
  b.after(59_988_000).timer("server/2", "timewait", "expired", 0).state("server/2", "CLOSED").after(3000);
  b.note("story", "After a minute the port is free").after(10);
  b.does("server 2", { name: "bind", fd: 3, ...at }, {}, "server/3")
    .state("server/3", "BOUND")
    .after(40);
  b.note("expectation", "bind succeeds once TIME-WAIT is over", { met: true });
  return b.trace({
    status: "done",
    verdict: { holds: "yes", because: "bind answered EADDRINUSE while TIME-WAIT lasted, and ok 60.0 s later." },
  });
}

/** The last ACK is lost: the FIN comes again, TIME-WAIT answers it and starts anew. */
export function lastAckLost(): Trace {
  const b = greeted(connected(new TraceBuilder("last-ack-lost", "TIME-WAIT answers a FIN whose ACK was lost")));
  b.note("story", "The last ACK is lost on the wire").after(10);
  const close = b.call("client", { name: "close", fd: 3 }, "client/1");
  b.after(6).state("client/1", "FIN-WAIT-1");
  const fin = b.sends({ ...fromClient(13, 1), flags: ["FIN", "ACK"] });
  b.after(3).returns(close).after(80).arrives(fin).after(3).state("server/2", "CLOSE-WAIT");
  b.passes({ ...fromServer(1, 14), flags: ["ACK"] })
    .after(3)
    .state("client/1", "FIN-WAIT-2")
    .after(500);
  const last = b.call("server", { name: "close", fd: 4 }, "server/2");
  b.after(6).state("server/2", "LAST-ACK");
  const fin2 = b.sends({ ...fromServer(1, 14), flags: ["FIN", "ACK"] });
  b.after(3).returns(last).after(80).arrives(fin2).after(3);
  b.state("client/1", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  const lost = b.sends({ ...fromClient(14, 2), flags: ["ACK"] });
  b.after(2).wire(lost, "dropped", { rule: "drop the client's ACK of the FIN, once" });
  b.after(204_000).timer("server/2", "retransmit", "expired", 0);
  b.passes({ ...fromServer(1, 14), flags: ["FIN", "ACK"] });
  b.after(2).timer("client/1", "timewait", "restarted", 60_000);
  b.passes({ ...fromClient(14, 2), flags: ["ACK"] })
    .after(2)
    .state("server/2", "CLOSED");
  b.note("expectation", "the second ACK ends LAST-ACK", { met: true });
  b.note("expectation", "TIME-WAIT has 60 s left again", { met: false });
  return b.trace({ status: "failed", reason: "TIME-WAIT did not have 60 s left again." }, [
    "TIME-WAIT answers",
    "2MSL",
  ]);
}

/** Both close at once: the FINs cross, both ends pass through CLOSING. */
export function simultaneousClose(): Trace {
  const b = greeted(connected(new TraceBuilder("simultaneous-close", "Both ends close at the same moment")));
  b.note("story", "Both close; the FINs pass each other on the wire").after(10);
  const one = b.call("client", { name: "close", fd: 3 }, "client/1");
  b.after(2).state("client/1", "FIN-WAIT-1");
  const fin1 = b.sends({ ...fromClient(13, 1), flags: ["FIN", "ACK"] });
  b.wire(fin1, "delayed", { rule: "slow both directions down", byUs: 5000 });
  const two = b.call("server", { name: "close", fd: 4 }, "server/2");
  b.after(2).state("server/2", "FIN-WAIT-1");
  const fin2 = b.sends({ ...fromServer(1, 13), flags: ["FIN", "ACK"] });
  b.returns(one).returns(two).after(90).arrives(fin1).after(1).state("server/2", "CLOSING");
  const ack2 = b.sends({ ...fromServer(2, 14), flags: ["ACK"] });
  b.after(3).arrives(fin2).after(1).state("client/1", "CLOSING");
  const ack1 = b.sends({ ...fromClient(14, 2), flags: ["ACK"] });
  b.after(80).arrives(ack2).state("client/1", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  b.after(3).arrives(ack1).state("server/2", "TIME-WAIT", { kind: "timewait", leftMs: 60_000 });
  b.note("expectation", "both ends are in TIME-WAIT", { met: true });
  const because = "Both ends went through CLOSING and both keep TIME-WAIT; the document knows of one only.";
  return b.trace({ status: "done", verdict: { holds: "partly", because } }, ["Who closes first keeps TIME-WAIT"]);
}

/** A segment of one connection is held, and let into the next between the same ports; another is duplicated. */
export function oldDuplicate(): Trace {
  const b = connected(new TraceBuilder("old-duplicate", "An old duplicate reaches a new connection"));
  b.does("client", { name: "write", fd: 3, data: "old" }, { value: 3 }, "client/1").after(4);
  const old = b.sends({ ...fromClient(1, 1), flags: ["PSH", "ACK"], length: 3 });
  b.wire(old, "duplicated", { rule: "copy the first data", copy: 2 });
  b.wire(old, "held", { rule: "hold the copy", copy: 2 }).after(80).arrives(old);
  b.passes({ ...fromServer(1, 4), flags: ["ACK"] }).after(50);
  b.does("client", { name: "setsockopt", fd: 3, option: "SO_LINGER", value: 0 }, {}, "client/1").after(5);
  const close = b.call("client", { name: "close", fd: 3 }, "client/1");
  const rst = b.sends({ ...fromClient(4, 1), flags: ["RST", "ACK"] });
  b.state("client/1", "CLOSED").returns(close).after(60).arrives(rst).state("server/2", "CLOSED").after(400);
  b.note("story", "The same two ports again").after(30);
  b.does("client", { name: "socket", family: "IPv4" }, { value: 3 }, "client/2");
  b.endpoints("client/2", EPHEMERAL, 8000);
  const connect = b.call("client", { name: "connect", fd: 3, ...at }, "client/2");
  b.after(15).state("client/2", "SYN-SENT");
  const isn = [CLIENT_ISN - 1, SERVER_ISN + 64_000] as const;
  b.passes({ from: "client", flags: ["SYN"], seq: isn[0] });
  b.after(10).endpoints("server/3", 8000, EPHEMERAL).state("server/3", "SYN-RECEIVED");
  b.passes({ from: "server", flags: ["SYN", "ACK"], seq: isn[1], ack: isn[0] + 1 });
  b.after(5).state("client/2", "ESTABLISHED").returns(connect);
  b.passes({ from: "client", flags: ["ACK"], seq: isn[0] + 1, ack: isn[1] + 1 });
  b.after(5).state("server/3", "ESTABLISHED").after(50);
  b.wire(old, "released", { rule: "hold the copy", copy: 2 }).after(70).arrives(old, 2);
  b.after(2).passes({ from: "server", flags: ["ACK"], seq: isn[1] + 1, ack: isn[0] + 5 });
  const gone = b.sends({ from: "client", flags: ["ACK"], seq: isn[0] + 1, ack: isn[1] + 1 });
  b.wire(gone, "expired").after(20);
  const odd = b.sends({ from: "client", flags: ["PSH", "ACK"], seq: isn[0] + 1, ack: isn[1] + 1, length: 5 });
  b.wire(odd, "modified", { packet: { ...b.packet(odd), flags: ["RST"] } })
    .after(40)
    .arrives(odd);
  const open = b.sends({ from: "server", flags: ["ACK"], seq: isn[1] + 1, ack: isn[0] + 6 });
  b.wire(open, "held", { rule: "hold the last" });
  b.note("expectation", "the old bytes are taken for new ones", { met: true });
  const because = "The new connection read the three old bytes: their numbers were inside its window.";
  return b.trace({ status: "done", verdict: { holds: "no", because } });
}

/** 8 MB, a thousand reads, some loss: what has to be folded. */
export function bulk(segments = 5000): Trace {
  const b = connected(new TraceBuilder("bulk", "Much data, then a close"));
  const data = { repeat: "lastack ", length: segments * MSS };
  const write = b.call("client", { name: "write", fd: 3, data }, "client/1");
  const inFlight: number[] = [];
  for (let i = 0; i < segments; i++) {
    inFlight.push(b.sends({ ...fromClient(1 + i * MSS, 1), flags: i % 40 ? ["ACK"] : ["PSH", "ACK"], length: MSS }));
    b.after(7);
    if (i === segments / 2) {
      b.wire(inFlight.pop()!, "dropped", { rule: "lose one" });
      b.passes({ ...fromClient(1 + i * MSS, 1), flags: ["ACK"], length: MSS });
    }
    if (inFlight.length === 10) {
      for (const each of inFlight.splice(0)) b.arrives(each);
      b.passes({ ...fromServer(1, 1 + (i + 1) * MSS), flags: ["ACK"] });
      const read = { length: 14_480, head: "lastack lastack lastack lastack " };
      b.does("server", { name: "read", fd: 4, length: 65_536 }, { value: 14_480, data: read }, "server/2");
    }
  }
  for (const each of inFlight) b.arrives(each);
  b.returns(write, { value: data.length }).after(50);
  b.does("client", { name: "shutdown", fd: 3, how: "write" }, {}, "client/1").state("client/1", "FIN-WAIT-1");
  b.passes({ ...fromClient(1 + segments * MSS, 1), flags: ["FIN", "ACK"] }).state("server/2", "CLOSE-WAIT");
  return b.trace({ status: "not run", reason: "This machine grants no network namespace." });
}

/** Names and output that nobody would choose: long, foreign, hostile. */
export const HOSTILE = {
  process: "server </svg></script><script>alert(1)</script> \u202Egnp.exe & \"quoted\" 'name' of a program",
  output:
    "\u001B[31mred\u001B[0m ]]> <!-- --> <img src=x onerror=alert(2)> \u0000\u2066 日本語のとても長い行 \uFFFF \uD800 😀",
  payload: "</title><script>document.title='x'</script>",
};

/** Four connections at once, long names, hostile text everywhere. */
export function crowded(): Trace {
  const b = new TraceBuilder("crowded & <b>", `Many sockets, ${HOSTILE.payload}`, HOSTILE.output);
  b.note("story", `${HOSTILE.output} ${"and so on, a story that goes far beyond a line ".repeat(6)}`).after(20);
  b.note("process", HOSTILE.output, { host: "server", process: HOSTILE.process }).after(60);
  b.state("server/1", "BOUND").after(3).state("server/1", "LISTEN").after(20);
  for (const i of [1, 2, 3, 4, 5]) {
    const ports = [EPHEMERAL + i, 8000] as const;
    const [socket, peer] = [`client/${i}`, `server/${i + 1}`];
    b.endpoints(socket, ports[0], 8000).endpoints(peer, 8000, ports[0]);
    const process = `client with-a-name-that-does-not-end-${i}`;
    const connect = b.call(process, { name: "connect", fd: 2 + i, ...at }, socket);
    b.state(socket, "SYN-SENT");
    b.passes({ from: "client", flags: ["SYN"], seq: CLIENT_ISN * i, ports }).state(peer, "SYN-RECEIVED");
    const back = [ports[1], ports[0]] as const;
    b.passes({ from: "server", flags: ["SYN", "ACK"], seq: SERVER_ISN, ack: CLIENT_ISN * i + 1, ports: back });
    b.state(socket, "ESTABLISHED").returns(connect);
    b.passes({ from: "client", flags: ["ACK"], seq: CLIENT_ISN * i + 1, ack: SERVER_ISN + 1, ports });
    b.state(peer, "ESTABLISHED").after(400);
  }
  b.does(HOSTILE.process, { name: "write", fd: 4, data: HOSTILE.payload }, "EPIPE", "server/2");
  b.note("output", HOSTILE.output, { host: "server", process: HOSTILE.process });
  b.note("output", "x".repeat(400), { host: "client", process: "client" });
  // Six in flight at once, each way, and three that are held.
  const there = [1, 2, 3, 4, 5, 6].map((i) => b.sends({ ...fromClient(i, 1), flags: ["PSH", "ACK"], length: 1 }));
  const back = [1, 2, 3, 4].map((i) =>
    b.sends({ ...fromServer(i, 1), flags: ["FIN", "PSH", "URG", "ACK"], length: 9 }),
  );
  for (const each of there.slice(0, 3)) b.wire(each, "held", { rule: HOSTILE.output });
  for (const each of there.slice(3)) b.after(10).arrives(each);
  for (const each of back.toReversed()) b.after(10).arrives(each);
  for (const each of there.slice(0, 3)) b.wire(each, "released").after(10).arrives(each);
  b.note("expectation", HOSTILE.payload, { met: false });
  const because = `${HOSTILE.payload} ${HOSTILE.output}`;
  return b.trace({ status: "done", verdict: { holds: "no", because } }, [HOSTILE.payload, HOSTILE.output]);
}

export const pageTraces = (): Trace[] => [
  normalClose(),
  lastAckLost(),
  simultaneousClose(),
  oldDuplicate(),
  bulk(),
  crowded(),
];
