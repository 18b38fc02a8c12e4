/** Whether a bind would be granted: by the rules of binding, from the facts, and from a trial where one was made. */
import { formatIp, formatZoned } from "../codec/address.ts";
import type { Answer } from "../bind/answer.ts";
import { stateOf, type ListedSocket } from "../bind/listing.ts";
import { RULES, type Rule } from "../bind/rules.ts";
import { newSocket, type State } from "../bind/state.ts";
import { step } from "../bind/step.ts";
import type { BindRequest, Facts, PortSocket } from "./facts.ts";

export interface BindAnswer {
  outcome: "granted" | "refused" | "unknown";
  /** The refusal's errno. */
  errno?: string;
  /** The sockets that refuse it, or, where it is unknown, that may. */
  blockers: readonly PortSocket[];
  provedBy: "facts" | "trial";
  /** The kernel's rule that decided; absent where only a trial tells. */
  rule?: Rule;
}

/** The socket that asks; those of the table are named by numbers. */
const ASKER = "asker";
type Group = PortSocket[];

function listed(
  id: string,
  { protocol, state, local, peer, interfaceIndex, inode, uid, v6only, options }: PortSocket,
): ListedSocket {
  const isKnown = !state.startsWith("UNKNOWN") && state !== "CLOSED";
  return {
    id,
    family: protocol === "tcp4" ? "IPv4" : "IPv6",
    // A state that has no name here is one of a connection: they all block alike.
    state: isKnown ? (state as ListedSocket["state"]) : "ESTABLISHED",
    local: { address: local.address === "*" ? "::" : local.address, port: local.port },
    ...(peer.port !== 0 && { peer: { address: peer.address === "*" ? "::" : peer.address, port: peer.port } }),
    device: interfaceIndex === 0 ? "" : String(interfaceIndex),
    hasOwner: inode !== 0,
    uid: uid ?? undefined,
    ipv6Only: options?.ipv6Only ?? v6only,
    reuseAddress: options?.reuseAddress,
    reusePort: options?.reusePort,
  };
}

/** Sockets that no rule tells apart: of ten thousand connections of a server one will do. */
function groupsOf(sockets: readonly PortSocket[]): Group[] {
  const groups = new Map<string, Group>();
  for (const socket of sockets) {
    const { id: _, peer: __, ...row } = listed("", socket);
    const key = JSON.stringify(row);
    const group = groups.get(key);
    if (group) group.push(socket);
    else groups.set(key, [socket]);
  }
  return [...groups.values()];
}

function stateFor(facts: Facts, request: BindRequest, groups: readonly Group[]): State {
  const { settings, asker, addressTrouble } = facts;
  const state = stateOf(
    groups.map(([socket], i) => listed(String(i), socket!)),
    {
      unprivilegedPortStart: settings.unprivilegedPortStart,
      mayBindPrivileged: request.uid === asker.uid ? asker.mayBindPrivileged : request.uid === 0,
      addresses: [],
      nonlocalBind: !addressTrouble.has(formatZoned(request)),
    },
  );
  const { reuseAddress, reusePort, ipv6Only, uid, address, zone } = request;
  const device = zone ? String(zone.index) : ""; // bind sets it as SO_BINDTODEVICE does (__inet6_bind)
  const family = address.length === 4 ? "IPv4" : "IPv6";
  const socket = { ...newSocket(state.host, ASKER, family, uid), reuseAddress, reusePort, ipv6Only, device };
  return { ...state, sockets: new Map([...state.sockets, [ASKER, socket]]) };
}

/** What the sockets, their options and the settings alone say of bind and the listen after it. */
export function answerOfFacts(facts: Facts, request: BindRequest): BindAnswer {
  // "Binding to link-local address requires an interface" (net/ipv6/af_inet6.c, __inet6_bind)
  if (facts.addressTrouble.get(formatZoned(request)) === "without zone") {
    return { outcome: "refused", errno: "EINVAL", blockers: [], provedBy: "facts" };
  }
  const groups = groupsOf(facts.sockets);
  const bound = step(stateFor(facts, request, groups), {
    name: "bind",
    socket: ASKER,
    address: formatIp(request.address),
    port: request.port,
  });
  const answers: Answer[] = [bound.answer];
  if (bound.answer.outcome === "granted") {
    answers.push(step(bound.state, { name: "listen", socket: ASKER, backlog: 1 }).answer);
  }
  const { outcome, code, sockets, rule } = answers.at(-1)!;
  const blockers = sockets.filter((id) => id !== ASKER).flatMap((id) => groups[Number(id)]!);
  if (outcome === "refused") return { outcome, errno: code!, blockers, provedBy: "facts", rule: RULES[rule] };
  if (outcome === "depends") return { outcome: "unknown", blockers, provedBy: "facts", rule: RULES[rule] };
  return { outcome: "granted", blockers: [], provedBy: "facts", rule: RULES[answers[0]!.rule] };
}

const sameRequest = (a: BindRequest, b: BindRequest) =>
  formatZoned(a) === formatZoned(b) &&
  a.port === b.port &&
  a.reuseAddress === b.reuseAddress &&
  a.reusePort === b.reusePort &&
  a.ipv6Only === b.ipv6Only &&
  a.uid === b.uid;

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
