/** A diagnosis for people: the answer first, then the evidence, then what helps. */
import { formatEndpoint, formatIp, formatZoned } from "../codec/address.ts";
import type { Diagnosis } from "../diagnose/diagnose.ts";
import type { Finding, Remedy } from "../diagnose/finding.ts";
import { spanText, wholeNumber } from "../diagnose/words.ts";
import { eachRow, inodeAt, type SocketTable } from "../linux/socket-table.ts";
import { INET_DIAG_MSG } from "../codec/inet-diag.ts";
import { listedStateName } from "../codec/state.ts";
import { escapeForTerminal } from "../view/escape.ts";
import { asRoot, shellWord, typed } from "./as-root.ts";
import { listSockets } from "./listing.ts";
import type { Look } from "../remedy/look.ts";

/** More sockets than these are counted, not shown. */
const MOST_ROWS = 12;
/** Longer lines of other people's text are cut. */
const MOST_CHARACTERS = 600;

/** Text of others on a line, cut where it is long. */
export function line(text: string): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return escapeForTerminal(cut);
}

/** The first rows, listeners before all others, and how many of each state are left out. */
function evidence(table: SocketTable): { shown: SocketTable; rest: string } {
  const rows: { from: SocketTable["slabs"][number]; rank: number; state: number }[] = [];
  const counts = new Map<number, number>();
  const least = (rank: number) => rows.length < MOST_ROWS || rank < rows.at(-1)!.rank;
  eachRow(table, (bytes, at, end) => {
    const state = bytes[at + INET_DIAG_MSG.state]!;
    counts.set(state, (counts.get(state) ?? 0) + 1);
    const rank = state === 10 ? 0 : inodeAt(bytes, at) !== 0 ? 1 : 2;
    if (!least(rank)) return;
    const row = bytes.slice(at - 16, (end + 3) & ~3);
    rows.push({ from: { bytes: row, length: row.length }, rank, state });
    rows.sort((a, b) => a.rank - b.rank);
    if (rows.length > MOST_ROWS) rows.pop();
  });
  for (const { state } of rows) counts.set(state, counts.get(state)! - 1);
  const rest = [...counts]
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${wholeNumber(count)} ${listedStateName(state) ?? state}`);
  return { shown: { ...table, slabs: rows.map(({ from }) => from) }, rest: rest.join(", ") };
}

function remedyText({ what, cost, command }: Remedy): string {
  const text = `${line(what)}${cost === undefined ? "" : ` (${line(cost)})`}`;
  return command ? `  ${typed(command).map(shellWord).join(" ")}\n      ${text}\n` : `  ${text}\n`;
}

function findingText(finding: Finding, isFirst: boolean): string {
  const mark = isFirst ? "" : `${finding.blocks ? "Also" : "Note"}: ${line(finding.headline)}\n`;
  return `${mark}${finding.detail.map((text) => `  ${line(text)}\n`).join("")}`;
}

function asksText({ asks }: Diagnosis): string {
  const outcomes = asks.map(({ answer }) => (answer.outcome === "refused" ? answer.errno! : answer.outcome));
  if (new Set(outcomes).size < 2) return "";
  const rows = asks.map(({ name, request }, i) => {
    const dual = request.address.length === 16 && !request.ipv6Only && formatIp(request.address) === "::";
    const where = formatEndpoint(dual ? "*" : formatZoned(request), request.port);
    return `  ${`${name} on ${where}`.padEnd(36)} ${outcomes[i]}\n`;
  });
  return `\n${rows.join("")}`;
}

export function remediesText(findings: readonly Pick<Finding, "remedies">[]): string {
  // Several causes can have one remedy: it is shown where it is first.
  const byText = new Map<string, string>();
  for (const remedy of findings.flatMap(({ remedies }) => remedies)) {
    const key = remedy.command?.join(" ") ?? remedy.what;
    if (!byText.has(key)) byText.set(key, remedyText(remedy));
  }
  const texts = [...byText.values()];
  return texts.length > 0 ? `\nWhat helps\n${texts.join("")}` : "";
}

/** When it is over by itself, to the second. */
function freeAtText({ freeAtMs }: Diagnosis, nowMs: number): string {
  if (freeAtMs === undefined) return "";
  const time = new Date(Math.ceil(freeAtMs / 1000) * 1000).toTimeString().slice(0, 8);
  return `\nFree by itself at ${time}, in ${spanText(freeAtMs - nowMs)}.\n`;
}

/** How to find out what is not known: by the bind that was not to be made, or by more permissions. */
function moreText({ asks, unknowns }: Diagnosis, isRoot: boolean, probed: boolean): string {
  const open = asks.filter(({ answer }) => answer.outcome === "unknown").length;
  const isHidden = unknowns.length > open || (open > 0 && probed);
  return [
    open > 0 && !probed ? "  Without --no-probe the bind is made, and undone at once: then the kernel says it\n" : "",
    isHidden && !isRoot ? `  To see all: ${asRoot()}\n` : "",
  ].join("");
}

/** `probed`: a bind was to be made where the answer is open. */
export function answerText(
  { diagnosis, facts, table, search }: Look,
  sink: (text: string | Uint8Array) => void,
  probed = true,
): void {
  const blocking = diagnosis.findings.filter(({ blocks }) => blocks);
  sink(`${line(diagnosis.headline)}\n`);
  if (facts.sockets.length > 0) {
    sink("\n");
    const { shown, rest } = evidence(table);
    listSockets(shown, { search, terminalWidth: Number.POSITIVE_INFINITY, wide: true }, sink);
    if (rest !== "") sink(`and ${rest}: lastack ls port ${facts.port}\n`);
  }
  const [first] = diagnosis.findings;
  const texts = diagnosis.findings
    .map((finding) => findingText(finding, finding === first))
    .filter((text) => text !== "");
  if (texts.length > 0) sink(`\n${texts.join("")}`);
  sink(asksText(diagnosis));
  sink(remediesText(blocking));
  sink(freeAtText(diagnosis, facts.nowMs));
  if (diagnosis.unknowns.length > 0) {
    const more = moreText(diagnosis, facts.asker.uid === 0, probed);
    sink(`\nNot known\n${diagnosis.unknowns.map((text) => `  ${line(text)}\n`).join("")}${more}`);
  }
}
