/** Answers of `lastack predict`, as text and as JSON. */
import type { Answer } from "../bind/answer.ts";
import type { Request } from "../bind/requests.ts";
import { RULES } from "../bind/rules.ts";
import { basisOf, predictedStep, type Row as RuleRow } from "../bind/predicted-step.ts";
import type { Scenario } from "../bind/scenario.ts";
import type { Socket, State, System } from "../bind/state.ts";
import { formatEndpoint } from "../codec/address.ts";
import type { Ran } from "../world/kernel/bind-run.ts";
import { escapeForTerminal, toJson } from "../view/escape.ts";

/** What the running kernel did, where it was asked. */
export interface Beside {
  ran: Ran;
  agrees: boolean;
}

export type Row = RuleRow & Partial<Beside>;

export interface Prediction {
  system: System;
  title: string | undefined;
  /** The running kernel's name, where the calls were made on it. */
  kernel?: string;
  steps: Scenario["steps"];
  rows: readonly Row[];
}

const NAMES: Record<System, string> = { linux: "Linux 6.18", macos: "macOS", freebsd: "FreeBSD", windows: "Windows" };

function optionValue(value: number, option: string): string {
  return option === "IP_LOCAL_PORT_RANGE" ? `${value & 0xffff}-${value >>> 16}` : String(value);
}

function callText(request: Request, { steps }: Prediction, row: Row): string {
  switch (request.name) {
    case "socket":
      return `socket ${request.family}${request.uid ? ` of uid ${request.uid}` : ""}`;
    case "setsockopt": {
      const step = steps[row.step]!;
      const device = "options" in step ? step.options?.SO_BINDTODEVICE : undefined;
      if (request.option === "SO_BINDTOIFINDEX") return `SO_BINDTODEVICE ${device === "" ? "none" : device}`;
      return `${request.option} ${optionValue(request.value, request.option)}`;
    }
    case "bind":
    case "connect":
      return `${request.name} ${formatEndpoint(request.address, request.port)}`;
    case "accept":
      return `accept as ${request.as}`;
    case "shutdown":
      return `shutdown ${request.how}`;
    default:
      return request.name;
  }
}

function errorText(code: string, errno: number | undefined): string {
  return errno === undefined ? code : `${code} (${errno})`;
}

function answerText({ outcome, code, errno, port }: Answer, hadPort: boolean): string {
  if (outcome === "refused") return errorText(code!, errno);
  if (outcome !== "granted") return outcome;
  return port !== undefined && !hadPort ? `granted, port ${port}` : "granted";
}

function ranText({ result, choice }: Ran, hadPort: boolean): string {
  if (result === "waits") return "waits";
  if (!result.ok) return errorText(result.code, result.errno);
  return choice.port !== undefined && !hadPort ? `granted, port ${choice.port}` : "granted";
}

/** A socket in few words: `a (LISTEN 0.0.0.0:8000)`. */
function socketText({ id, state, address, port, peer }: Socket): string {
  const name = state === "CLOSED" ? (port === 0 ? "CLOSED" : "BOUND") : state;
  const ends = [formatEndpoint(address, port), ...(peer ? [`to ${formatEndpoint(peer.address, peer.port)}`] : [])];
  return `${id} (${name} ${ends.join(" ")})`;
}

const MANY = 6;

function because({ sockets }: Answer, before: State): string {
  const all = sockets.map((id) => socketText(before.sockets.get(id)!));
  const more = all.length > MANY ? [`${all.length - MANY} more`] : [];
  return [...all.slice(0, MANY), ...more].join(", ");
}

/** Lines below a row: why it was refused, or whom it shares a port with. */
function reasons(answer: Answer, before: State): string[] {
  const rule = RULES[answer.rule];
  const isPlain = answer.outcome === "granted" && answer.sockets.length === 0;
  if (isPlain) return [];
  const where = answer.basis ? `${rule.file}: ${rule.function}` : `${rule.file}, ${rule.function}`;
  const who =
    answer.sockets.length > 0
      ? [`${answer.outcome === "granted" ? "with" : "because of"} ${because(answer, before)}`]
      : [];
  return [...who, rule.text, where];
}

function headline({ system, kernel, title }: Prediction): string {
  const basis = system === "linux" ? "by the rules of its source" : "by its documents; not run";
  const beside = kernel === undefined ? "" : `, beside ${kernel}`;
  return `${title === undefined ? "" : `${escapeForTerminal(title)}\n`}${NAMES[system]}, ${basis}${beside}\n\n`;
}

const isPortChoice = (request: Request) =>
  request.name === "connect" || ("port" in request ? request.port === 0 : true);

export function predictionText(prediction: Prediction): string {
  const { rows, steps, kernel } = prediction;
  const cells = rows.map((row): string[] => {
    const number = String(row.step + 1);
    const { request, predicted } = row;
    if (!request || !predicted)
      return [number, steps[row.step]!.socket, steps[row.step]!.call, "left out: nothing to make it with"];
    const hadPort = !isPortChoice(request) || row.before!.sockets.get(request.socket)?.port !== 0;
    const cell = [number, request.socket, callText(request, prediction, row), answerText(predicted, hadPort)];
    if (kernel !== undefined) cell.push(ranText(row.ran!, hadPort), row.agrees ? "" : "<- differs");
    return cell;
  });
  const head = [
    "",
    "socket",
    "call",
    kernel === undefined ? "answer" : "rules",
    ...(kernel === undefined ? [] : ["kernel"]),
  ];
  const widths = [head, ...cells].reduce<number[]>(
    (all, cell) => cell.map((text, i) => Math.max(all[i] ?? 0, text.length)),
    [],
  );
  const line = (cell: string[]) =>
    `${cell
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd()}\n`;
  const indent = " ".repeat(widths[0]! + 2);
  const body = cells.map((cell, i) => {
    const { predicted, before } = rows[i]!;
    const below = predicted ? reasons(predicted, before!) : [];
    return line(cell) + below.map((text) => `${indent}${text}\n`).join("");
  });
  const differing = rows.filter(({ agrees }) => agrees === false).length;
  const verdict =
    kernel === undefined
      ? ""
      : differing === 0
        ? "\nThe kernel did what the rules say.\n"
        : `\n${differing} answers differ.\n`;
  return headline(prediction) + line(head) + body.join("") + verdict;
}

function ranJson({ result, choice }: Ran): unknown {
  if (result === "waits") return { outcome: "waits" };
  if (!result.ok) return { outcome: "refused", code: result.code, errno: result.errno };
  return { outcome: "granted", ...choice };
}

export function predictionJson({ system, kernel, title, rows }: Prediction): string {
  const answers = rows.map((row) => ({
    ...predictedStep(row),
    ...(row.ran && { kernel: ranJson(row.ran), agrees: row.agrees }),
  }));
  const head = { schema: 1, system, basis: basisOf(system), ...(title !== undefined && { title }) };
  return `${toJson({ ...head, kernel: kernel ?? null, answers }, 2)}\n`;
}
