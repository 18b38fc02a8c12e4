/** Colours by meaning, as ECMA-48's SGR sequences: the one file of the view that writes escape sequences. */
const CODES = {
  dim: 2,
  heading: 1,
  /** Lost, failed, not met. */
  bad: 31,
  /** Met. */
  good: 32,
  held: 33,
  partly: 33,
  /** The phases of a connection. */
  opening: 36,
  open: 32,
  closing: 35,
  waiting: 34,
} as const;

export type Style = keyof typeof CODES;

export function paint(text: string, style: Style): string {
  return `\u001b[${CODES[style]}m${text}\u001b[0m`;
}
