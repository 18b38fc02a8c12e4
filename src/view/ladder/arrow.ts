/** One row's part of a segment's way, drawn between the life lines. */
import type { Glyphs } from "./glyphs.ts";
import type { Piece } from "./rows.ts";
import type { Style } from "./sgr.ts";
import { clip, type Span, textWidth } from "./text.ts";

function styleOf({ head, tail }: Piece): Style | undefined {
  if (head === "lost") return "bad";
  return head === "held" || tail === "held" ? "held" : undefined;
}

function headGlyph({ from, head }: Piece, glyphs: Glyphs): string {
  if (head === "delivered") return glyphs.arrived[from];
  if (head === "lost") return glyphs.lost;
  return head === "held" ? glyphs.held : glyphs.leaves[from];
}

function tailGlyph({ from, tail }: Piece, glyphs: Glyphs): string {
  if (tail === "host") return "";
  return tail === "held" ? glyphs.held : glyphs.enters[from];
}

interface Wording {
  label: string;
  tailText: string;
  headText: string;
}

/** What may be written, the most telling first: what the wire did tells more than a segment's numbers. */
function wordings({ labels, tailTexts, headTexts, head, tag }: Piece, glyphs: Glyphs): Wording[] {
  const pick = (texts: readonly string[], i: number) => texts[Math.min(i, texts.length - 1)] ?? "";
  const beside = Array.from({ length: Math.max(tailTexts.length, headTexts.length, 1) }, (_, i) => ({
    tailText: pick(tailTexts, i),
    headText: pick(headTexts, i),
  }));
  const least = beside.at(-1)!;
  const tagged = {
    tailText: least.tailText && tag,
    headText: head === "lost" || tailTexts.length > 0 ? least.headText : least.headText && tag,
  };
  const combine = (ends: Omit<Wording, "label">[]) => labels.flatMap((label) => ends.map((end) => ({ label, ...end })));
  return [...combine(beside), ...combine([tagged])].map(({ label, tailText, headText }) => ({
    label: glyphs.spell(label),
    tailText: glyphs.spell(tailText),
    headText: glyphs.spell(headText),
  }));
}

/** The piece in exactly `width` columns. */
export function drawPiece(piece: Piece, width: number, glyphs: Glyphs): Span {
  const head = headGlyph(piece, glyphs);
  const tail = tailGlyph(piece, glyphs);
  const framed = (text: string, glyph: string) => (text === "" ? glyph : `${text} ${glyph}`);
  // A space keeps words from the life line.
  const ends = ({ tailText, headText }: Wording) =>
    textWidth(framed(tailText, tail)) + textWidth(framed(headText, head)) + (tailText ? 1 : 0) + (headText ? 1 : 0);
  const options = wordings(piece, glyphs);
  const fits = (wording: Wording) => ends(wording) + textWidth(wording.label) + 3 <= width;
  const chosen = options.find(fits) ?? options.at(-1)!;
  const room = Math.max(0, width - ends(chosen) - 3);
  const label = clip(chosen.label, room, glyphs.spell("…"));
  const strokes = Math.max(0, width - ends(chosen) - textWidth(label) - 2);
  const near = glyphs.stroke.repeat(Math.ceil(strokes / 2));
  const far = glyphs.stroke.repeat(Math.floor(strokes / 2));
  const shaft = `${near} ${label} ${far}`;
  const before = chosen.tailText ? ` ${chosen.tailText} ${tail}` : tail;
  const after = chosen.headText ? `${head} ${chosen.headText} ` : head;
  const mirroredBefore = chosen.tailText ? `${tail} ${chosen.tailText} ` : tail;
  const mirroredAfter = chosen.headText ? ` ${chosen.headText} ${head}` : head;
  const text =
    piece.from === "left" ? before + shaft + after : mirroredAfter + `${far} ${label} ${near}` + mirroredBefore;
  return { text: clip(text, width, ""), style: styleOf(piece) };
}
