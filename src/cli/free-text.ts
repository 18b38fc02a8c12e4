/** What `free` says to people. */
import type { HolderProcess, PortSocket } from "../diagnose/facts.ts";
import { listText, localText, plural, processText } from "../diagnose/words.ts";
import type { FreeProgress, Proposal } from "../remedy/free.ts";
import type { Attempt } from "../remedy/freed-port.ts";
import { asRoot } from "./as-root.ts";
import { EXIT } from "./exit-status.ts";
import { line, remediesText } from "./why-text.ts";

function alongText({ along, plan }: Proposal, process: HolderProcess): string {
  const { listens, connections } = along.get(process.pid) ?? { listens: [], connections: 0 };
  const parts = [
    ...(listens.length > 0 ? [`listens on ${listText(listens)} too`] : []),
    ...(connections > 0 ? [`${plural(connections, "connection")} of it`] : []),
  ];
  const own = plan.victims.find((victim) => victim.process === process)!;
  const where = [...new Set(own.sockets.map((socket) => `${socket.state} ${localText(socket)}`))];
  const why = own.because ?? listText(where.slice(0, 4));
  return `  ${processText(process)}: ${why}${parts.length > 0 ? `; with it: ${parts.join(", ")}` : ""}`;
}

function socketsText(sockets: readonly PortSocket[]): string {
  const states = listText([...new Set(sockets.map(({ state }) => state))]);
  const risk = sockets.some(({ state }) => state === "TIME-WAIT")
    ? "a delayed segment of an old connection may be taken for one of a new one, and a lost last ACK becomes a reset"
    : "the peer gets a reset, and data not yet delivered are lost";
  return `  ${plural(sockets.length, "socket")} in ${states}: ${risk}`;
}

/** What would be done, or why nothing is. */
export function planText(proposal: Proposal): string {
  const { before, plan } = proposal;
  const lines = [line(before.diagnosis.headline)];
  if (plan.refusals.length > 0) {
    lines.push("Nothing is ended:", ...plan.refusals.map(({ reason }) => `  ${line(reason)}`));
    return `${lines.join("\n")}\n${remediesText([{ remedies: plan.refusals.flatMap(({ remedies }) => remedies) }])}`;
  }
  if (plan.victims.length > 0) lines.push("To end, in this order");
  for (const { process } of plan.victims) lines.push(line(alongText(proposal, process)));
  if (plan.sockets.length > 0) lines.push("To remove", socketsText(plan.sockets));
  return `${lines.join("\n")}\n`;
}

export function progressText(progress: FreeProgress): string {
  switch (progress.kind) {
    case "signalled":
      return `${progress.signal} to ${processText(progress.process)}`;
    case "ended":
      return `${processText(progress.process)} has ended, after ${(progress.afterMs / 1000).toFixed(1)} s`;
    case "destroyed":
      return `${plural(progress.sockets, "socket")} removed`;
  }
}

/** How it went with one port, and the exit status. */
export function resultText({ proposal, freed, error }: Attempt, aborted: boolean): { text: string; status: number } {
  if (error) {
    const denied = error.code === "EPERM";
    const more = denied ? `\n  As root: ${asRoot()}` : freed ? `\n${line(freed.after.diagnosis.headline)}` : "";
    const isFree = freed?.after.diagnosis.answer === "free";
    return { text: `${line(error.message)}${more}`, status: isFree ? EXIT.ok : denied ? EXIT.permission : EXIT.no };
  }
  if (!freed) return { text: `Port ${proposal.plan.port}: nothing was done`, status: EXIT.no };
  const { running, after, destroyRefused } = freed;
  const lines: string[] = [];
  if (running.length > 0) {
    const how = aborted ? "interrupted; it runs still" : "it runs still, SIGKILL or not";
    lines.push(...running.map((process) => `${line(processText(process))}: ${how}`));
  }
  if (destroyRefused !== undefined) {
    const { denied } = after.facts;
    const why =
      denied !== undefined
        ? `netlink was refused: ${denied}`
        : destroyRefused === "EPERM"
          ? `it takes CAP_NET_ADMIN (${destroyRefused})`
          : `this kernel can't (${destroyRefused})`;
    lines.push(`What the kernel keeps of connections stays: ${why}`);
    if (destroyRefused === "EPERM" && after.facts.asker.uid !== 0) lines.push(`  As root: ${asRoot()}`);
  }
  const { answer, headline, freeAtMs } = after.diagnosis;
  lines.push(line(headline));
  if (answer !== "free" && freeAtMs !== undefined) {
    lines.push(`Free by itself in ${Math.ceil((freeAtMs - after.facts.nowMs) / 1000)} s`);
  }
  const isFree = answer === "free";
  const denied = destroyRefused === "EPERM" || answer === "unknown";
  return { text: lines.join("\n"), status: isFree ? EXIT.ok : denied ? EXIT.permission : EXIT.no };
}
