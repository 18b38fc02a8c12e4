/** Stories that nobody has thought up: random calls of four processes on two hosts, told from a seed. */
import type { Call } from "../../src/call/call.ts";
import type { Experiment } from "../../src/lab/experiment.ts";
import type { Process } from "../../src/lab/process.ts";
import type { PendingCall } from "../../src/lab/world.ts";
import { generator } from "../support/random.ts";

const PORT = 8000;
/** Longer than the ACK of a FIN is delayed, shorter than any retransmission. */
const ACKNOWLEDGED_MS = 60;
const FDS = [3, 3, 3, 4, 4, 5, 9];

type Random = () => number;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** Any call, the likelier the more often it stands here. */
function anyCall(random: Random, server: string): Call {
  const fd = pick(random, FDS);
  const calls: readonly (() => Call)[] = [
    () => ({ name: "socket", family: "IPv4" }),
    () => ({ name: "socket", family: "IPv4" }),
    () => ({ name: "connect", fd, address: server, port: PORT + Math.floor(random() * 1.2) }),
    () => ({ name: "connect", fd, address: server, port: PORT }),
    () => ({ name: "connect", fd, address: server, port: PORT }),
    () => ({ name: "bind", fd, address: pick(random, ["0.0.0.0", server]), port: PORT }),
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
    // Not SIOCOUTQ: after a connect that has failed, Linux answers it with what tcp_disconnect has made of write_seq.
    () => ({ name: "ioctl", fd, request: "SIOCINQ" }),
    () => ({ name: "getsockopt", fd, option: "SO_ERROR" }),
    () => ({ name: "getsockname", fd }),
    () => ({ name: "setsockopt", fd, option: "SO_LINGER", value: pick(random, [-1, 0]) }),
    () => ({ name: "setsockopt", fd, option: "SO_REUSEADDR", value: pick(random, [0, 1, 1]) }),
  ];
  return pick(random, calls)();
}

const sendsFin = ({ name }: Call) => name === "close" || name === "shutdown";

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
      const processes: { process: Process; pending?: PendingCall }[] = [];
      for (const name of ["server", "server 2"]) processes.push({ process: yield* server.process(name) });
      for (const name of ["client", "client 2"]) processes.push({ process: yield* client.process(name) });
      const listener = yield* processes[0]!.process.listen(PORT, { reuseAddress: random() < 0.5 });
      yield* processes[2]!.process.connect(server, PORT);
      yield* listener.accept();
      for (let i = 0; i < length; i++) {
        const actor = pick(random, processes);
        const call = anyCall(random, server.address);
        if (actor.pending && !actor.pending.result) continue; // it is still in its last call
        actor.pending = yield* actor.process.begin(call);
        if (sendsFin(call)) yield* lab.elapse(ACKNOWLEDGED_MS);
      }
      return { holds: "yes", because: "" };
    },
  };
}
