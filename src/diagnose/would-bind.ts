/** Whether a bind would be granted, from the facts alone and, where one was made, from a trial. */
import { formatIp } from "../codec/address.ts";
import type { BindRequest, Facts, PortSocket } from "./facts.ts";
import { overlaps } from "./overlap.ts";

/** What the facts say of a request and one socket. `open`: an option or a history that can't be seen decides. */
export type Conflict = "no" | "yes" | "open";

export interface BindAnswer {
  outcome: "granted" | "refused" | "unknown";
  /** The refusal's errno. */
  errno?: "EADDRINUSE" | "EACCES" | "EADDRNOTAVAIL" | (string & {});
  /** The sockets that refuse it, or, where it is unknown, that may. */
  blockers: readonly PortSocket[];
  provedBy: "facts" | "trial";
}

/**
 * inet_bind_conflict() of net/ipv4/inet_connection_sock.c for one pair. A flag of the newcomer without the same flag on
 * the other side leaves a remainder: the bucket of the port caches flags of earlier binds (fastreuse, fastreuseport).
 */
export function conflict(request: BindRequest, socket: PortSocket): Conflict {
  const meets = overlaps(request, socket);
  if (meets === false) return "no";
  const { options } = socket;
  if (request.reuseAddress && socket.state !== "LISTEN") {
    if (options?.reuseAddress) return "no";
    return "open";
  }
  if (request.reusePort) {
    const sameUser = socket.state === "TIME-WAIT" || socket.uid === request.uid;
    if (options?.reusePort && sameUser) return "no";
    if (options && !options.reusePort && sameUser) return "open";
    if (!options && sameUser) return "open";
  }
  return meets === undefined ? "open" : "yes";
}

const sameRequest = (a: BindRequest, b: BindRequest) =>
  formatIp(a.address) === formatIp(b.address) &&
  a.port === b.port &&
  a.reuseAddress === b.reuseAddress &&
  a.reusePort === b.reusePort &&
  a.ipv6Only === b.ipv6Only &&
  a.uid === b.uid;

/** True if a bind of this request to this port takes a capability that its user lacks. */
export function lacksPrivilege(facts: Facts, request: BindRequest): boolean {
  if (request.port >= facts.settings.unprivilegedPortStart) return false;
  return request.uid === facts.asker.uid ? !facts.asker.mayBindPrivileged : request.uid !== 0;
}

/** What the sockets and settings alone say. */
export function answerOfFacts(facts: Facts, request: BindRequest): BindAnswer {
  const refused = (errno: string, blockers: readonly PortSocket[] = []): BindAnswer => ({
    outcome: "refused",
    errno,
    blockers,
    provedBy: "facts",
  });
  // The order of __inet_bind(): the address, the privilege, then the port.
  if (facts.addressTrouble.has(formatIp(request.address))) return refused("EADDRNOTAVAIL");
  if (lacksPrivilege(facts, request)) return refused("EACCES");
  const judged = facts.sockets.map((socket) => ({ socket, says: conflict(request, socket) }));
  const sure = judged.filter(({ says }) => says === "yes").map(({ socket }) => socket);
  if (sure.length > 0) return refused("EADDRINUSE", sure);
  const open = judged.filter(({ says }) => says === "open").map(({ socket }) => socket);
  if (open.length > 0) return { outcome: "unknown", blockers: open, provedBy: "facts" };
  return { outcome: "granted", blockers: [], provedBy: "facts" };
}

/** The answer: the facts' refusal, else what the kernel said in the trial, if one was made. */
export function wouldBind(facts: Facts, request: BindRequest): BindAnswer {
  const answer = answerOfFacts(facts, request);
  if (answer.outcome === "refused") return answer;
  const trial = facts.trials.find((candidate) => sameRequest(candidate.request, request));
  if (!trial) return answer;
  if (trial.errno === null) return { outcome: "granted", blockers: [], provedBy: "trial" };
  const blockers = trial.errno === "EADDRINUSE" ? answer.blockers : [];
  return { outcome: "refused", errno: trial.errno, blockers, provedBy: "trial" };
}
