/** What a look at a port has found, as docs/json.md describes it: plain data, for JSON and for programs. */
import { formatZoned } from "../codec/address.ts";
import type { Diagnosis } from "../diagnose/diagnose.ts";
import type { Facts, PortSocket, SharingOptions } from "../diagnose/facts.ts";
import type { Finding } from "../diagnose/finding.ts";
import type { BindAnswer } from "../diagnose/would-bind.ts";
import type { HolderSearch } from "../linux/holders.ts";
import { processFacts } from "../linux/process.ts";
import type { Look } from "./look.ts";
import { processObject, socketObject, type ProcessObject, type SocketObject } from "./objects.ts";

/** A bind that was asked about. @public */
export interface ExplainedAsk {
  name: string;
  address: string;
  port: number;
  reuseAddress: boolean;
  reusePort: boolean;
  ipv6Only: boolean;
  uid: number;
  outcome: BindAnswer["outcome"];
  /** The refusal's errno, by name. */
  errno: string | null;
  /** Indices into `sockets`. */
  blockers: number[];
  provedBy: BindAnswer["provedBy"];
  /** The kernel's rule that decided. */
  rule: NonNullable<BindAnswer["rule"]> | null;
}

/** @public */
export interface ExplainedFinding extends Pick<Finding, "cause" | "blocks" | "headline" | "detail" | "remedies"> {
  /** When it ends by itself, ISO 8601. */
  endsAt: string | null;
  /** Indices into the explanation's `sockets`. */
  sockets: number[];
}

/** @public */
export interface ExplainedSocket extends SocketObject {
  /** null where the socket could not be asked. */
  options: SharingOptions | null;
  /** Of CLOSE-WAIT: how long ago the last segment came, milliseconds. */
  quietMs?: number;
}

/** Why a port can't be bound, or that it can. Texts hold names that others chose: escape them where they are shown. @public */
export interface Explanation {
  port: number;
  /** `blocked` if any of the binds asked about would be refused. */
  answer: Diagnosis["answer"];
  /** The answer in one line. */
  headline: string;
  /** When all that blocks is over by itself, ISO 8601. */
  freeAt: string | null;
  asks: ExplainedAsk[];
  /** The causes, what blocks most first. */
  findings: ExplainedFinding[];
  /** What could not be found out, each a sentence. */
  unknowns: readonly string[];
  /** Processes whose descriptors may not be read, by their user. */
  unreadable: Facts["unreadable"];
  /** Processes are missing from /proc: those of others are hidden (hidepid), or it is not mounted. */
  hidden: "hidepid" | "no proc" | null;
  /** The holders. */
  processes: ProcessObject[];
  sockets: ExplainedSocket[];
}

type Index = ReadonlyMap<PortSocket, number>;

const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
const indices = (sockets: readonly PortSocket[], index: Index) => sockets.map((socket) => index.get(socket)!);

function explainFinding({ endsAtMs, sockets, ...finding }: Finding, index: Index): ExplainedFinding {
  return { ...finding, endsAt: time(endsAtMs), sockets: indices(sockets, index) };
}

function explainAsk({ name, request, answer }: Diagnosis["asks"][number], index: Index): ExplainedAsk {
  const { zone: _, ...asked } = request;
  const { outcome, errno, blockers, provedBy, rule } = answer;
  return {
    name,
    ...asked,
    address: formatZoned(request),
    outcome,
    errno: errno ?? null,
    blockers: indices(blockers, index),
    provedBy,
    rule: rule ?? null,
  };
}

function explainSocket(
  { holders, options, quietMs, device, ...socket }: PortSocket,
  search: HolderSearch,
  program: (pid: number) => string | undefined,
): ExplainedSocket {
  void [holders, device]; // told as `owners` and `interface`
  return {
    ...socketObject(socket, search, program),
    options: options ?? null,
    ...(quietMs !== undefined && { quietMs }),
  };
}

export function explain({ diagnosis, facts, search }: Look): Explanation {
  const index = new Map(facts.sockets.map((socket, i) => [socket, i]));
  const program = (pid: number) => facts.processes.get(pid)?.program;
  const processes = [...facts.processes.keys()].map(processFacts).filter((process) => process !== undefined);
  const { port, answer, headline, asks, findings, unknowns, freeAtMs } = diagnosis;
  return {
    port,
    answer,
    headline,
    freeAt: time(freeAtMs),
    asks: asks.map((ask) => explainAsk(ask, index)),
    findings: findings.map((finding) => explainFinding(finding, index)),
    unknowns,
    unreadable: facts.unreadable,
    hidden: facts.hidden ?? null,
    processes: processes.map(processObject),
    sockets: facts.sockets.map((socket) => explainSocket(socket, search, program)),
  };
}
