/** The words for what becomes of a segment, which every drawing of a trace shares. Rules in them are escaped. */
import type { SegmentEvent } from "../trace/trace.ts";
import { escapeForTerminal } from "./escape.ts";
import { durationLabel } from "./labels.ts";

export interface FateWords {
  /** For those who do not see the wire: `held by the wire`. */
  full: string;
  /** Beside a wire: `delayed 40 ms`. */
  brief: string;
  /** One word. */
  least: string;
}

export function fateWords({ fate, byUs }: Pick<SegmentEvent, "fate" | "byUs">): FateWords {
  switch (fate) {
    case "sent":
    case "delivered":
      return { full: fate, brief: fate, least: fate };
    case "expired":
      return { full: "expired on the wire: no hops left", brief: "expired: no hops left", least: fate };
    case "delayed": {
      const by = byUs === undefined ? "" : durationLabel(byUs / 1000);
      return { full: `delayed by the wire${by && ` for ${by}`}`, brief: `delayed${by && ` ${by}`}`, least: fate };
    }
    case "dropped":
    case "held":
    case "released":
    case "duplicated":
    case "modified":
      return { full: `${fate} by the wire`, brief: fate, least: fate };
  }
}

/** ` (drop FIN from client)`, behind the words for a fate: the rule that brought it about; empty without one. */
export function ruleLabel({ rule }: Pick<SegmentEvent, "rule">): string {
  return rule === undefined ? "" : ` (${escapeForTerminal(rule)})`;
}

/** `, copy 2`, behind the words for a fate; empty for a segment as its host sent it. */
export function copyLabel({ copy }: Pick<SegmentEvent, "copy">): string {
  return copy === undefined ? "" : `, copy ${copy}`;
}
