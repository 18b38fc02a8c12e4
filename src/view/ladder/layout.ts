/** Where things stand in a line of the ladder, from left to right: time, margin, life line, arrows, life line, margin. */
export interface Layout {
  width: number;
  time: number;
  margin: number;
  middle: number;
}

const TIME = 8;
/** Beyond these, more room would only pull apart what belongs together. */
const WIDEST_MARGIN = 44;
const WIDEST_MIDDLE = 45;
/** Below this, lines are cut. */
const LEAST_ROOM = 27;

/** The life lines, and the spaces around them and after the time. */
const BETWEEN = 5;

export function layoutFor(width: number): Layout {
  const room = Math.max(LEAST_ROOM, width - TIME - BETWEEN);
  const middle = Math.min(WIDEST_MIDDLE, Math.floor(room * 0.375));
  return { width, time: TIME, middle, margin: Math.min(WIDEST_MARGIN, Math.floor((room - middle) / 2)) };
}

/** The column of the left life line. */
export function leftLine({ time, margin }: Layout): number {
  return time + 1 + margin + 1;
}

export function rightLine(layout: Layout): number {
  return leftLine(layout) + 1 + layout.middle;
}

/** The columns that a whole line may take. */
export function fullWidth(layout: Layout): number {
  return Math.min(layout.width, rightLine(layout) + 2 + layout.margin);
}
