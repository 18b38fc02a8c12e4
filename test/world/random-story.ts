/** Stories that nobody has thought up: random calls of processes on two hosts, which fork and end, told from a seed. */
import type { Call } from "../../src/call/call.ts";
import type { Experiment } from "../../src/lab/experiment.ts";
import type { Host } from "../../src/lab/host.ts";
import type { Lab } from "../../src/lab/lab.ts";
import type { Process } from "../../src/lab/process.ts";
import { take, type Story } from "../../src/lab/story.ts";
import type { PendingCall } from "../../src/lab/world.ts";
import { generator } from "../support/random.ts";

const PORT = 8000;
/** Longer than the ACK of a FIN is delayed, shorter than any retransmission. */
const ACKNOWLEDGED_MS = 60;
const MAX_PLAYERS = 6;
const FDS = [3, 3, 3, 4, 4, 5, 9];

type Random = () => number;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** Where calls go: the server's addresses, of which IPv6's may be missing. */
interface Target {
  /** The client's. */
  other: string;
  v4: string;
  v6: string | undefined;
}

/** Any call, the likelier the more often it stands here. */
function anyCall(random: Random, { v4, v6, other }: Target): Call {
  const fd = pick(random, FDS);
  const address = v6 !== undefined && random() < 0.2 ? v6 : v4;
  const wildcard = v6 !== undefined && random() < 0.2 ? "::" : "0.0.0.0";
  const family = v6 !== undefined && random() < 0.2 ? "IPv6" : "IPv4";
  const calls: readonly (() => Call)[] = [
    () => ({ name: "socket", family }),
    () => ({ name: "socket", family }),
    () => ({ name: "connect", fd, address, port: PORT + Math.floor(random() * 1.2) }),
    () => ({ name: "connect", fd, address, port: PORT }),
    () => ({ name: "connect", fd, address, port: PORT }),
    () => ({ name: "bind", fd, address: pick(random, [wildcard, address]), port: PORT }),
    () => ({ name: "listen", fd, backlog: Math.floor(random() * 3) }),
    () => ({ name: "accept", fd }),
    () => ({ name: "accept", fd }),
    () => ({ name: "read", fd, length: pick(random, [1, 100]) }),
    () => ({ name: "read", fd, length: 100 }),
    () => ({ name: "write", fd, data: pick(random, ["a", "bcd", "efghij"]) }),
    () => ({ name: "write", fd, data: pick(random, ["a", "bcd", "efghij"]) }),
    () => ({ name: "shutdown", fd, how: pick(random, ["read", "write", "write", "both"] as const) }),
    () => ({ name: "close", fd }),
    () => ({ name: "close", fd }),
    () => ({ name: "poll", fd }),
    () => ({ name: "poll", fd }),
    // Not MSG_MORE: data that wait go after 200 ms at the latest, and stories are told faster in the model.
    // Not SIOCOUTQ: after a connect that has failed, Linux answers it with what tcp_disconnect has made of write_seq.
    () => ({ name: "ioctl", fd, request: "SIOCINQ" }),
    () => ({ name: "getsockopt", fd, option: "SO_ERROR" }),
    () => ({ name: "getsockname", fd }),
    () => ({ name: "setsockopt", fd, option: "SO_LINGER", value: pick(random, [-1, 0]) }),
    () => ({ name: "setsockopt", fd, option: "SO_REUSEADDR", value: pick(random, [0, 1, 1]) }),
    () => {
      const option = pick(random, Object.keys(VALUES) as (keyof typeof VALUES)[]);
      return { name: "setsockopt", fd, option, value: pick(random, VALUES[option]) };
    },
    () => ({ name: "getsockopt", fd, option: pick(random, Object.keys(VALUES) as (keyof typeof VALUES)[]) }),
    () => ({ name: "write", fd, data: { repeat: "long ", length: 4000 } }),
    () => ({
      name: "bind",
      fd,
      address: pick(random, [wildcard, "127.0.0.1"]),
      port: pick(random, [0, PORT, PORT + 1]),
    }),
    () => ({ name: "connect", fd, address: pick(random, ["127.0.0.1", other]), port: pick(random, [PORT, PORT + 1]) }),
  ];
  return pick(random, calls)();
}

/** Options with what they may be set to. */
const VALUES = {
  // Not TCP_QUICKACK: Linux sets and clears it by itself.
  SO_REUSEPORT: [0, 1],
  SO_LINGER: [-1, 0],
  IPV6_V6ONLY: [0, 1],
  IP_TTL: [-1, 0, 1, 20, 255, 256],
  IP_BIND_ADDRESS_NO_PORT: [0, 1],
  TCP_NODELAY: [0, 1],
  TCP_LINGER2: [-1, 0, 1, 3, 200],
} as const;

const sendsFin = ({ name }: Call) => name === "close" || name === "shutdown";

interface Player {
  process: Process;
  mortal: boolean;
  pending?: PendingCall;
  ended?: boolean;
}

/** A process forks, ends, or is killed: of a mortal one now and then. */
function* liveOrDie(player: Player, players: Player[], random: Random): Story<boolean> {
  const { process } = player;
  const what = pick(random, ["fork", "exit", "kill"] as const);
  const isBlocked = player.pending !== undefined && !player.pending.result;
  if (what === "fork") {
    if (isBlocked || players.length >= MAX_PLAYERS) return false;
    players.push({ process: yield* process.fork(`${process.name}'s child ${players.length}`), mortal: true });
    return true;
  }
  if (what === "exit" && isBlocked) return false;
  player.ended = true;
  if (what === "exit") yield* process.exit(pick(random, ["exit", "return"] as const));
  else yield* process.kill(pick(random, ["SIGTERM", "SIGKILL"] as const));
  return true;
}

/** Parameters with what they may be set to. */
const PARAMETERS = {
  "net.ipv4.tcp_fin_timeout": [1, 60],
  "net.ipv4.tcp_max_tw_buckets": [0, 1, 1000],
  "net.ipv4.tcp_rfc1337": [0, 1],
  "net.ipv4.tcp_timestamps": [0, 1],
  "net.ipv4.tcp_tw_reuse": [0, 1],
} as const;

/** Something that no process does: to a host, to a socket, on the wire. */
function* interfere(lab: Lab, hosts: readonly Host[], random: Random): Story {
  const host = pick(random, hosts);
  const match = { has: [pick(random, ["SYN", "FIN", "PSH"] as const)] };
  switch (pick(random, ["set", "destroy", "duplicate", "copy", "release"] as const)) {
    case "set": {
      const parameter = pick(random, Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[]);
      yield* host.set(parameter, pick(random, PARAMETERS[parameter]));
      return;
    }
    case "destroy": {
      const socket = pick(random, host.sockets);
      if (socket && socket.state !== "TIME-WAIT" && socket.state !== "BOUND")
        yield* take({ step: "destroy", socket: socket.id });
      return;
    }
    case "duplicate":
      lab.wire.duplicate(match, 1, { times: 1 });
      return;
    case "copy":
      lab.wire.copy(match, "copies", { times: 1 });
      return;
    case "release":
      yield* lab.wire.release("copies", 1);
  }
}

/** A server that listens and a client that is connected to it, and then so many calls. */
export function randomStory(seed: number, length: number): Experiment {
  return {
    id: "random",
    title: `LASTACK_SEED=${seed}`,
    claims: [],
    article: "",
    *story(lab) {
      const random = generator(seed);
      const { client, server } = yield* lab.hosts();
      const target = {
        other: client.address,
        v4: server.address,
        v6: server.addresses.find((address) => address.includes(":")),
      };
      const players: Player[] = [];
      for (const name of ["server", "server 2"]) {
        const mortal = name === "server";
        players.push({ process: yield* server.process(name, { mortal }), mortal });
      }
      for (const name of ["client", "client 2"]) players.push({ process: yield* client.process(name), mortal: false });
      const listener = yield* players[0]!.process.listen(PORT, { reuseAddress: random() < 0.5 });
      yield* players[2]!.process.connect(server, PORT);
      yield* listener.accept();
      for (let i = 0; i < length; i++) {
        const player = pick(random, players);
        const call = anyCall(random, target);
        if (random() < 0.06) {
          yield* interfere(lab, [client, server], random);
          yield* lab.elapse(ACKNOWLEDGED_MS);
        }
        if (player.ended) continue;
        if (player.mortal && random() < 0.08) {
          if (yield* liveOrDie(player, players, random)) yield* lab.elapse(ACKNOWLEDGED_MS);
          continue;
        }
        if (player.pending && !player.pending.result) continue; // it is still in its last call
        player.pending = yield* player.process.begin(call);
        if (sendsFin(call)) yield* lab.elapse(ACKNOWLEDGED_MS);
      }
      return { holds: "yes", because: "" };
    },
  };
}
