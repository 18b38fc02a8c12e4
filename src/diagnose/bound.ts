/** Sockets that are bound and neither listen nor are connected. */
import type { Facts, PortSocket } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { endProcesses, kill, OTHER_PORT } from "./remedies.ts";
import { holdersOf, localText, processesText } from "./words.ts";

/** Bound beside a listener, or beside another bound one: only one of them can listen. */
function secondListen(facts: Facts, bound: readonly PortSocket[], blocks: boolean): Finding {
  const listener = facts.sockets.find(({ state }) => state === "LISTEN");
  const names = (sockets: readonly PortSocket[]) => processesText(holdersOf(facts, sockets)) || "a process";
  return {
    cause: "second-listen",
    blocks,
    headline: listener
      ? `${names(bound)} is bound to ${localText(bound[0]!)} too, and its listen will be refused (EADDRINUSE): ${names([listener])} listens`
      : `${names(bound)} is bound to ${localText(bound[0]!)} with SO_REUSEADDR: bind is shared, but only the first listen succeeds`,
    detail: ["SO_REUSEADDR lets several bind, never several listen: the second listen answers EADDRINUSE"],
    sockets: bound,
    remedies: [{ what: "decide which of them listens, and end the other" }, kill(facts, holdersOf(facts, bound))],
  };
}

export function boundFindings(facts: Facts, blockers: ReadonlySet<PortSocket>): Finding[] {
  const bound = facts.sockets.filter(
    ({ state, holders }) => state === "BOUND" && holders.length > 0 && facts.processes.has(holders[0]!.pid),
  );
  if (bound.length === 0) return [];
  const blocks = bound.some((socket) => blockers.has(socket));
  const holders = holdersOf(facts, bound);
  const sharing = bound.some(({ options }) => options?.reuseAddress);
  const listens = facts.sockets.some(({ state }) => state === "LISTEN");
  const findings: Finding[] = [];
  if (sharing && (listens || !blocks || bound.length > 1)) findings.push(secondListen(facts, bound, false));
  if (!blocks) return findings;
  findings.push({
    cause: "bound-only",
    blocks,
    headline: `${processesText(holders)} has bound ${localText(bound[0]!)} and does not listen`,
    detail: [
      "it is about to, has forgotten to, or holds the port for an outgoing connection; netstat and lsof do not show it",
    ],
    sockets: bound,
    remedies: [...endProcesses(facts, holders), OTHER_PORT],
  });
  return findings;
}
