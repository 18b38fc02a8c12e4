/** `free --json`; docs/json.md describes it. */
import type { Refusal } from "../remedy/plan.ts";
import type { FreeProgress } from "../remedy/free.ts";
import type { Look } from "../remedy/look.ts";
import type { Result } from "./free-text.ts";
import { JSON_SCHEMA } from "./ls-json.ts";
import { toJson } from "../view/escape.ts";

const lookObject = ({ diagnosis: { answer, headline, freeAtMs } }: Look) => ({
  answer,
  headline,
  freeAt: freeAtMs === undefined ? null : new Date(freeAtMs).toISOString(),
});

function progressObject(progress: FreeProgress) {
  if (progress.kind === "destroyed") return progress;
  const { process, ...rest } = progress;
  return { ...rest, pid: process.pid, program: process.program };
}

const refusalObject = ({ reason, remedies, needsPermission = false }: Refusal) => ({
  reason,
  remedies,
  needsPermission,
});

function resultObject({ proposal: { before, plan, along }, did, freed, error }: Result) {
  const processes = plan.victims.map(({ process: { pid, program, user }, because }) => ({
    pid,
    program,
    user,
    ...(because !== undefined && { because }),
    ...along.get(pid),
  }));
  const sockets = plan.sockets.map(({ state, local, peer }) => ({ state, local, peer }));
  return {
    port: plan.port,
    before: lookObject(before),
    plan: { processes, sockets, refusals: plan.refusals.map(refusalObject) },
    did: did.map(progressObject),
    running: (freed?.running ?? []).map(({ pid, program }) => ({ pid, program })),
    error: error ? { message: error.message, code: error.code } : null,
    destroyRefused: freed?.destroyRefused ?? null,
    after: freed ? lookObject(freed.after) : null,
  };
}

export function freedAsJson(results: readonly Result[], status: number): string {
  return `${toJson({ schema: JSON_SCHEMA, status, ports: results.map(resultObject) })}\n`;
}
