/** Many rows of data and acknowledgements, told as one. */
import { bytesLabel, countLabel } from "../labels.ts";
import type { Row, Side, Step } from "./rows.ts";

/** So many rows in a run are still shown one by one. */
const SHOWN = 12;

function isBulk(row: Row): row is Step {
  if (row.kind !== "step") return false;
  const items = [...row.left, ...row.right];
  return items.every(({ moves }) => moves !== undefined) && (row.piece ? row.piece.isBulk : items.length > 0);
}

/** `1,204 segments, 8,388,608 bytes →`; undefined without any. */
function direction(steps: readonly Step[], side: Side): string | undefined {
  const sent = steps.flatMap(({ piece }) => (piece?.from === side && piece.tail === "host" ? [piece] : []));
  if (sent.length === 0) return undefined;
  const length = sent.reduce((sum, { payloadLength }) => sum + payloadLength, 0);
  const segments = `${countLabel(sent.length)} ${sent.length === 1 ? "segment" : "segments"}`;
  return `${segments}${length > 0 ? `, ${bytesLabel(length)}` : ""} ${side === "left" ? "→" : "←"}`;
}

/** `12 × read`, a line a call. */
function moves(steps: readonly Step[], side: Side): string[] {
  const counts = new Map<string, number>();
  for (const { moves: name, isAnswer } of steps.flatMap((step) => step[side])) {
    if (name !== undefined && !isAnswer) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${countLabel(count)} × ${name}`);
}

function folded(steps: readonly Step[]): Row {
  const sent = [direction(steps, "left"), direction(steps, "right")].filter((words) => words !== undefined);
  return {
    kind: "fold",
    tUs: steps[0]!.tUs,
    lastUs: steps.at(-1)!.lastUs,
    left: moves(steps, "left"),
    right: moves(steps, "right"),
    middle: sent.map((words) => `… ${words}`),
  };
}

/** The rows, each run of more than {@link SHOWN} that only move data replaced by one. */
export function foldBulk(rows: readonly Row[]): Row[] {
  const result: Row[] = [];
  let run: Step[] = [];
  const endRun = () => {
    if (run.length > SHOWN) result.push(folded(run));
    else result.push(...run);
    run = [];
  };
  for (const row of rows) {
    if (isBulk(row)) run.push(row);
    else {
      endRun();
      result.push(row);
    }
  }
  endRun();
  return result;
}
