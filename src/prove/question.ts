/** What is asked: the programs, what TIME-WAIT is, what the network may do; and by it, which assumptions are made. */
import { createHost, type Host } from "../host/index.ts";
import { LINUX, type Profile } from "../tcp/index.ts";
import { HostActor, Packets, type Situation } from "./actor.ts";
import type { Fault } from "./program.ts";
import { CLIENT, clientOf, LENGTH, SERVER, serverOf, type Ending } from "./programs.ts";
import { TwoHosts, type Harm } from "./two-hosts.ts";

/** What the first retransmission timeout lasts (RFC 6298 rule 2.1), and here every one. */
const RTO_US = 1_000_000;
/** What time is counted in. */
export const TICK_US = RTO_US / 2;

/**
 * What must never be; and that every state can still come to its end, both ends CLOSED, both programs through; or that it can
 * come to a rest, with no segment on its way.
 */
export type Concern = Fault | "end" | "rest";

export interface Question {
  asks: readonly Concern[];
  /** Ticks in a maximum segment lifetime: a segment arrives before so many are over, if at all. */
  msl: number;
  /** How many ticks TIME-WAIT lasts; 0: there is none. */
  timeWait: number;
  /** RFC 1337's fix F1. */
  ignoresReset: boolean;
  /** RFC 5961: doubtful segments draw a challenge ACK, and not without end. */
  challenges: boolean;
  /** One for each incarnation of the connection. */
  endings: readonly Ending[];
  /** What the network may do in all: any of these. */
  harms: readonly Harm[];
}

/** Linux's endpoint, with every time a whole number of ticks. It tries to connect for longer than a TIME-WAIT may last. */
export const PROFILE: Profile = {
  ...LINUX,
  rtoMinUs: RTO_US,
  rtoMaxUs: RTO_US,
  delayedAckUs: 0,
  quickAcks: 0,
  finAckDelayUs: null,
  synRetries: 30,
};

/**
 * Initial numbers. Those of the second incarnation lie so far below the first's that old segments come just behind what is new:
 * the worst that there is short of numbers that are used twice, against which TIME-WAIT alone is of no help.
 */
const FIRST_NUMBERS = [1000, 5000] as const;
const STEP = -LENGTH;

/** The client numbers its connections one after the other; what is no number of one has no incarnation. */
function incarnationOf(irs: number, endings: readonly Ending[]): number | undefined {
  const i = (irs - FIRST_NUMBERS[0]) / STEP;
  return endings[i] === undefined ? undefined : i;
}

function makeHost(i: 0 | 1, { timeWait, ignoresReset, challenges }: Question): Host {
  const address = [CLIENT, SERVER][i]!.address;
  return createHost(
    {
      addresses: [{ address, onLink: 24, device: "wire" }],
      profile: PROFILE,
      numbering: { by: "count", first: FIRST_NUMBERS[i], step: STEP },
      connection: { timeWaitUs: timeWait * TICK_US, orphanFinWait2Us: null, rfc5961: challenges },
    },
    { "net.ipv4.tcp_timestamps": "0", "net.ipv4.tcp_rfc1337": ignoresReset ? "1" : "0" },
  );
}

export interface Setting {
  readonly question: Question;
  readonly system: TwoHosts<Situation>;
  /** Of the hosts, and of the process on each. */
  readonly names: readonly [string, string];
  readonly actors: readonly [HostActor, HostActor];
  /** The hosts before anything has happened, the server not even listening. */
  readonly bare: readonly [Situation, Situation];
  readonly packets: Packets;
}

/** The hosts and the network of a question. */
export function settingOf(question: Question): Setting {
  const packets = new Packets();
  const { asks, endings, harms, msl } = question;
  const faults = asks.filter((concern) => concern !== "end" && concern !== "rest");
  const actorOf = (program: ReturnType<typeof clientOf>) =>
    new HostActor([program], packets, TICK_US, faults, (irs) => incarnationOf(irs, endings));
  const actors = [actorOf(clientOf(endings)), actorOf(serverOf(endings))] as const;
  const bare = [actors[0].begin(makeHost(0, question)), actors[1].begin(makeHost(1, question))] as const;
  const end = asks.includes("end") ? "over" : asks.includes("rest") ? "quiet" : undefined;
  // The server listens from the beginning.
  const start = [bare[0], actors[1].after(bare[1], { do: "call", process: 0 })!.host] as const;
  const system = new TwoHosts(actors, { start, harms, life: msl, end });
  const names = [actors[0].programs[0]!.name, actors[1].programs[0]!.name] as const;
  return { question, system, names, actors, bare, packets };
}
