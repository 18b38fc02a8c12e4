import { RelativeNumbering, type RelativeNumbers } from "../codec/numbering.ts";
import type { TraceEvent } from "./trace.ts";

/** The relative numbers of every segment of a trace, by the segment's number. */
export function relativeNumbers(events: readonly TraceEvent[]): Map<number, RelativeNumbers> {
  const numbering = new RelativeNumbering();
  const numbers = new Map<number, RelativeNumbers>();
  for (const event of events) {
    if (event.kind === "segment" && event.fate === "sent" && event.packet) {
      numbers.set(event.segment, numbering.number(event.packet));
    }
  }
  return numbers;
}
