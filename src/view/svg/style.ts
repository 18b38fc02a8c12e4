/** How a ladder looks. Colours stand for meanings; they are custom properties, one set for light and one for dark. */
import type { TcpState } from "../../codec/state.ts";
import { FONT_PX } from "./text.ts";

/** What a state means for those who look at a connection's end; a class below. */
export type StateMeaning = "idle" | "opening" | "open" | "closing" | "owed" | "waiting";

export const STATE_MEANING: Record<TcpState, StateMeaning> = {
  CLOSED: "idle",
  BOUND: "idle",
  LISTEN: "idle",
  "SYN-SENT": "opening",
  "SYN-RECEIVED": "opening",
  ESTABLISHED: "open",
  "FIN-WAIT-1": "closing",
  "FIN-WAIT-2": "closing",
  CLOSING: "closing",
  "LAST-ACK": "closing",
  // The program has yet to close.
  "CLOSE-WAIT": "owed",
  "TIME-WAIT": "waiting",
};

export const MONOSPACE = `"DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace`;
export const SANS = `system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif`;

/** Colours for all drawings and for the page around them. `teal` opens, `green` is open, `amber` closes. */
const LIGHT = {
  paper: "#ffffff",
  panel: "#f5f7f9",
  ink: "#1a2027",
  dim: "#5d6873",
  rule: "#dce1e6",
  teal: "#0a7b83",
  green: "#1d7a3a",
  amber: "#ad5700",
  pink: "#b3246f",
  violet: "#6d45c9",
  blue: "#1763c2",
  red: "#c3222c",
};
const DARK: typeof LIGHT = {
  paper: "#12161b",
  panel: "#1a2027",
  ink: "#e4e9ee",
  dim: "#98a4b0",
  rule: "#303943",
  teal: "#45c1c9",
  green: "#5cc47c",
  amber: "#f0a04b",
  pink: "#f07ab4",
  violet: "#ae91f7",
  blue: "#6cabf7",
  red: "#ff7b7d",
};

function properties(colours: typeof LIGHT): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");
}

/** Custom properties of the selected element: light, and dark where that is preferred; always light on paper. */
export function colourStyle(selector: string): string {
  return `${selector}{${properties(LIGHT)};color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){${selector}{${properties(DARK)}}}`;
}

const MEANINGS = {
  open: "teal",
  close: "amber",
  reset: "red",
  data: "blue",
  ack: "dim",
};
const STATES: Record<StateMeaning, keyof typeof LIGHT> = {
  idle: "dim",
  opening: "teal",
  open: "green",
  closing: "amber",
  owed: "pink",
  waiting: "violet",
};

const meanings = Object.entries(MEANINGS).map(([name, colour]) => `.ladder .m-${name}{--c:var(--${colour})}`);
const states = Object.entries(STATES).map(([name, colour]) => `.ladder .s-${name}{--c:var(--${colour})}`);

/** All but the colours' values. */
export const LADDER_STYLE = `.ladder{font:${FONT_PX}px ${MONOSPACE};fill:var(--ink)}
.ladder text{white-space:pre}
.ladder .paper{fill:var(--paper)}
.ladder .title{font:600 20px ${SANS}}
.ladder .host{font:600 16px ${SANS}}
.ladder .heading{font:600 15px ${SANS}}
.ladder .note{font:13px ${SANS}}
.ladder .dim,.ladder .time,.ladder .closed,.ladder .socket{fill:var(--dim)}
.ladder .who{fill:var(--dim)}
.ladder .ok{fill:var(--green)}
.ladder .bad{fill:var(--red);font-weight:700}
.ladder .output{fill:var(--blue)}
.ladder .timer{fill:var(--violet)}
.ladder .did{font-weight:700}
.ladder .bar{fill:var(--panel);stroke:var(--rule)}
.ladder .accent{fill:var(--blue)}
.ladder .met{fill:var(--green)}
.ladder .unmet{fill:var(--red)}
.ladder .tick{fill:none;stroke:var(--paper);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.ladder .life{stroke:var(--ink);stroke-width:2}
.ladder .guide{stroke:var(--rule);stroke-dasharray:1 4;stroke-linecap:round}
.ladder .dot{fill:var(--ink)}
.ladder .gap{stroke:var(--dim);stroke-width:2;stroke-dasharray:1 5;stroke-linecap:round}
.ladder .stay{fill:var(--c);fill-opacity:.13;stroke:var(--c);stroke-opacity:.45}
.ladder .side{fill:var(--c)}
.ladder .state{fill:var(--c);font-weight:700}
.ladder .left{fill:var(--c)}
.ladder .line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
.ladder .dashed{stroke-dasharray:6 4}
.ladder .waiting{stroke-dasharray:1.5 4;stroke-linecap:round}
.ladder .head{fill:var(--c)}
.ladder .mark{fill:var(--paper);stroke:var(--c);stroke-width:1.8}
.ladder .fork{fill:var(--c)}
.ladder .cross{fill:none;stroke:var(--red);stroke-width:2.4;stroke-linecap:round}
.ladder .label{fill:var(--c)}
.ladder .label,.ladder .halo,.ladder .heading,.ladder .note{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.ladder .heading,.ladder .note{stroke:var(--panel)}
.ladder .bulk{fill:var(--c);fill-opacity:.12;stroke:var(--c);stroke-opacity:.5}
${meanings.join("\n")}
${states.join("\n")}`;
