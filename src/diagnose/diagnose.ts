/** From the facts of a port to what they mean: whether a bind would be granted, what is in its way, what helps. */
import { formatEndpoint, formatZoned } from "../codec/address.ts";
import { askedWords, withAsked } from "./asked.ts";
import { boundFindings } from "./bound.ts";
import type { BindRequest, Facts, PortSocket } from "./facts.ts";
import { CAUSES, type Finding } from "./finding.ts";
import { leftoverFindings } from "./leftovers.ts";
import { listenerFindings } from "./listeners.ts";
import { overlapFindings, reusePortFindings } from "./overlaps.ts";
import { elsewhereFindings, freeFinding, refusalFindings } from "./refusals.ts";
import { unheldFindings } from "./unheld.ts";
import { hidingTexts, listText } from "./words.ts";
import { answerOfFacts, wouldBind, type BindAnswer } from "./would-bind.ts";

/** A bind that is asked about, under a name for people. */
export interface Ask {
  name: string;
  request: BindRequest;
}

export interface Diagnosis {
  port: number;
  /** `blocked` if any of the binds asked about would be refused. */
  answer: "free" | "blocked" | "unknown";
  /** The answer in one line. */
  headline: string;
  asks: readonly (Ask & { answer: BindAnswer })[];
  findings: readonly Finding[];
  /** What could not be found out, each a sentence. */
  unknowns: readonly string[];
  /** When all that blocks is over by itself, milliseconds since 1970. */
  freeAtMs?: number;
}

/** The asks of which a trial would tell more: those that the facts do not refuse. */
export function asksToTry(facts: Facts, asks: readonly Ask[]): Ask[] {
  return asks.filter(({ request }) => answerOfFacts(facts, request).outcome !== "refused");
}

function unknownsOf(facts: Facts, asks: Diagnosis["asks"]): string[] {
  const sentences: string[] = [];
  const open = asks.filter(({ answer }) => answer.outcome === "unknown");
  for (const { name, answer } of open) {
    sentences.push(
      `${name}: whether the ${answer.blockers.length === 1 ? "socket" : `${answer.blockers.length} sockets`} on the port would share it ` +
        "depends on options, or on earlier binds, that cannot be seen from here, and no bind was tried",
    );
  }
  if (facts.denied !== undefined) {
    sentences.push(`netlink was refused (${facts.denied}): sockets that are only bound are not listed`);
  }
  if (facts.interrupted) sentences.push("the table of sockets changed while it was read: some may be missing");
  const unheld = facts.sockets.some(({ inode, holders }) => inode !== 0 && holders.length === 0);
  if (unheld) sentences.push(...hidingTexts(facts));
  return sentences;
}

const order = (finding: Finding) => (finding.blocks ? 0 : 1) * CAUSES.length + CAUSES.indexOf(finding.cause);

function collect(facts: Facts, asks: Diagnosis["asks"], blockers: ReadonlySet<PortSocket>): Finding[] {
  const findings = [
    ...listenerFindings(facts, blockers),
    ...unheldFindings(facts, blockers),
    ...leftoverFindings(facts, blockers),
    ...boundFindings(facts, blockers),
    ...elsewhereFindings(facts),
  ];
  const refusals = asks
    .filter(({ answer }) => answer.outcome !== "granted")
    .map(({ request, answer }) => ({ request, blockers: answer.blockers, answer }));
  findings.push(...overlapFindings(refusals));
  const told = new Set(findings.map(({ headline }) => headline));
  for (const { request, answer } of refusals) {
    const more = [...refusalFindings(facts, request, answer), ...reusePortFindings(facts, request, answer.blockers)];
    for (const finding of more) {
      if (told.has(finding.headline)) continue;
      told.add(finding.headline);
      findings.push(finding);
    }
  }
  return findings.sort((a, b) => order(a) - order(b));
}

/** What to do, for the binds that were asked about. */
function addressed(finding: Finding, words: readonly string[]): Finding {
  const remedies = finding.remedies.map((remedy) => ({
    ...remedy,
    ...(remedy.command && { command: withAsked(remedy.command, words) }),
  }));
  return { ...finding, remedies };
}

/** When the last blocker is gone, if each of them ends by itself. */
function freeAt(findings: readonly Finding[], blockers: ReadonlySet<PortSocket>): number | undefined {
  const ends = new Map<PortSocket, number>();
  for (const { sockets, endsAtMs } of findings) {
    if (endsAtMs !== undefined) for (const socket of sockets) ends.set(socket, endsAtMs);
  }
  if (blockers.size === 0 || [...blockers].some((socket) => !ends.has(socket))) return undefined;
  return Math.max(...[...blockers].map((socket) => ends.get(socket)!));
}

function whereText(asks: readonly Ask[], port: number): string {
  const addresses = new Set(asks.map(({ request }) => formatZoned(request)));
  const [only] = addresses;
  return addresses.size === 1 && !/^(0\.0\.0\.0|::)$/.test(only!) ? formatEndpoint(only!, port) : `Port ${port}`;
}

const errnos = (asks: Diagnosis["asks"]) => [...new Set(asks.map(({ answer }) => answer.errno))];

function headlineOf(facts: Facts, asks: Diagnosis["asks"], findings: readonly Finding[]): string {
  const where = whereText(asks, facts.port);
  const first = findings.find(({ blocks }) => blocks);
  const of = (outcome: BindAnswer["outcome"]) => asks.filter(({ answer }) => answer.outcome === outcome);
  const [granted, refused, unknown] = [of("granted"), of("refused"), of("unknown")];
  const names = (some: readonly Ask[]) => listText(some.map(({ name }) => name));
  if (refused.length > 0) {
    const verb = errnos(refused).every((errno) => errno === "EADDRINUSE") ? "is taken" : "cannot be bound";
    const scope = refused.length === asks.length ? "" : ` for ${names(refused)}`;
    const rest = granted.length > 0 ? `, free for ${names(granted)}` : "";
    return `${where} ${verb}${scope}${rest}: ${first?.headline ?? listText(errnos(refused).map(String))}`;
  }
  if (unknown.length > 0) return `${where} may be taken: ${first?.headline ?? "it cannot be told from here"}`;
  const free = findings.find(({ cause }) => cause === "free");
  return `${where} is free${asks.length === 1 && asks[0]!.name !== "bind" ? ` for ${asks[0]!.name}` : ""}: ${free!.headline}`;
}

export function diagnose(facts: Facts, asked: readonly Ask[]): Diagnosis {
  const asks = asked.map((ask) => ({ ...ask, answer: wouldBind(facts, ask.request) }));
  const blockers = new Set(
    asks.filter(({ answer }) => answer.outcome !== "granted").flatMap(({ answer }) => answer.blockers),
  );
  const words = askedWords(
    asks.map(({ request }) => request),
    facts.asker.uid,
  );
  const findings = collect(facts, asks, blockers).map((finding) => addressed(finding, words));
  const outcomes = asks.map(({ answer }) => answer.outcome);
  const answer = outcomes.includes("refused") ? "blocked" : outcomes.includes("unknown") ? "unknown" : "free";
  if (answer === "free")
    findings.unshift(
      freeFinding(
        facts,
        asks.every((ask) => ask.answer.provedBy === "trial"),
      ),
    );
  const freeAtMs = freeAt(findings, blockers);
  return {
    port: facts.port,
    answer,
    headline: headlineOf(facts, asks, findings),
    asks,
    findings,
    unknowns: unknownsOf(facts, asks),
    ...(freeAtMs !== undefined && { freeAtMs }),
  };
}
