/** The rows of a ladder: what is drawn side by side because it happened together. */
import type { Item } from "./items.ts";

export type Side = "left" | "right";

/** The part of a segment's way that one row shows. */
export interface Piece {
  /** The side that the segment comes from. */
  from: Side;
  /** The longest first. */
  labels: readonly string[];
  /** Where the piece begins: at the host, or in the wire. */
  tail: "host" | "flight" | "held";
  /** Words beside a tail in the wire. */
  tailTexts: readonly string[];
  /** Where it ends: at the other host or in the wire. */
  head: "under way" | "delivered" | "flight" | "held" | "lost";
  /** Words beside a head in the wire. */
  headTexts: readonly string[];
  /** Which segment it is, in short: where there is no room for the words beside tail and head. */
  tag: string;
}

export interface Step {
  kind: "step";
  tUs: number;
  /** When the last came that stands in this row. */
  lastUs: number;
  left: Item[];
  right: Item[];
  piece?: Piece;
  /** How many items of the side that the segment comes from were there before it was sent. */
  before: number;
}

export type Row =
  | Step
  /** The story's words, across all. */
  | { kind: "heading"; text: string }
  /** What has no life line here, across all. */
  | { kind: "wide"; tUs: number; text: string }
  /** What stands for many events. */
  | ({ kind: "fold"; tUs: number; lastUs: number; middle: string[] } & Record<Side, string[]>);

/** What comes within this time may stand in one row. */
const TOGETHER_US = 10_000;

export function otherSide(side: Side): Side {
  return side === "left" ? "right" : "left";
}

/** Puts what happens into rows, in the order in which it happens. */
export class Rows {
  readonly rows: Row[] = [];

  /** The row that more may be put into: the last. */
  get #open(): Step | undefined {
    const last = this.rows.at(-1);
    return last?.kind === "step" ? last : undefined;
  }

  isOpen(step: Step | undefined): boolean {
    return step !== undefined && step === this.#open;
  }

  add(row: Row): void {
    this.rows.push(row);
  }

  /** Begins a row. */
  step(tUs: number): Step {
    const step: Step = { kind: "step", tUs, lastUs: tUs, left: [], right: [], before: 0 };
    this.rows.push(step);
    return step;
  }

  /** Puts an item beside the life line that it is about: into the last row, if it belongs to what that shows. */
  join(tUs: number, side: Side, item: Item): void {
    const open = this.#open;
    const joins = open && tUs - open.lastUs <= TOGETHER_US && this.#takesPartIn(open, side);
    const step = joins ? open : this.step(tUs);
    step[side].push(item);
    step.lastUs = tUs;
  }

  #takesPartIn({ piece, left, right }: Step, side: Side): boolean {
    if (!piece) return (side === "left" ? right : left).length === 0;
    return side === piece.from ? piece.tail === "host" : piece.head === "delivered";
  }

  /** Begins a segment's way: beside the call or timer that had it sent, if that was just now. */
  send(tUs: number, piece: Piece): Step {
    const open = this.#open;
    const beside = open && !open.piece && tUs - open.lastUs <= TOGETHER_US && this.#takesPartIn(open, piece.from);
    const step = beside ? open : this.step(tUs);
    step.piece = piece;
    step.before = step[piece.from].length;
    step.lastUs = tUs;
    return step;
  }
}
