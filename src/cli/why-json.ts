/** `why --json`; docs/json.md describes it. */
import { formatIp } from "../codec/address.ts";
import type { Diagnosis } from "../diagnose/diagnose.ts";
import type { PortSocket } from "../diagnose/facts.ts";
import type { Finding } from "../diagnose/finding.ts";
import { processFacts, programName } from "../linux/process.ts";
import { cached } from "./cached.ts";
import { JSON_SCHEMA, processObject, socketObject } from "./ls-json.ts";
import type { Look } from "../remedy/look.ts";
import { toJson } from "../view/escape.ts";

const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

function findingObject({ endsAtMs, sockets, ...finding }: Finding, index: ReadonlyMap<PortSocket, number>) {
  return { ...finding, endsAt: time(endsAtMs), sockets: sockets.map((socket) => index.get(socket)) };
}

function askObject({ name, request, answer }: Diagnosis["asks"][number], index: ReadonlyMap<PortSocket, number>) {
  const { outcome, errno, blockers, provedBy, rule } = answer;
  return {
    name,
    ...request,
    address: formatIp(request.address),
    outcome,
    errno: errno ?? null,
    blockers: blockers.map((socket) => index.get(socket)),
    provedBy,
    rule: rule ?? null,
  };
}

function socketObjectWithOptions(
  { holders, options, quietMs, ...socket }: PortSocket,
  { search }: Look,
  program: (pid: number) => string | undefined,
) {
  void holders; // told as `owners`
  return {
    ...socketObject(socket, search, program),
    options: options ?? null,
    ...(quietMs !== undefined && { quietMs }),
  };
}

function answerObject(answered: Look): Record<string, unknown> {
  const { diagnosis, facts } = answered;
  const index = new Map(facts.sockets.map((socket, i) => [socket, i]));
  const program = cached(programName);
  const processes = [...facts.processes.keys()].map(processFacts).filter((process) => process !== undefined);
  const { port, answer, headline, asks, findings, unknowns, freeAtMs } = diagnosis;
  return {
    port,
    answer,
    headline,
    freeAt: time(freeAtMs),
    asks: asks.map((ask) => askObject(ask, index)),
    findings: findings.map((finding) => findingObject(finding, index)),
    unknowns,
    unreadable: facts.unreadable,
    processes: processes.map(processObject),
    sockets: facts.sockets.map((socket) => socketObjectWithOptions(socket, answered, program)),
  };
}

export function answersAsJson(answers: readonly Look[]): string {
  return `${toJson({ schema: JSON_SCHEMA, ports: answers.map(answerObject) })}\n`;
}
