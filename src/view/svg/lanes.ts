/** The states of sockets as bands in lanes: sockets that are there at different times share a lane. */
import type { SocketTimer, Trace } from "../../trace/trace.ts";
import type { TcpState } from "../../codec/state.ts";
import { lifeLines } from "../sides.ts";
import type { Rows } from "./rows.ts";

/** The left life line is 0, the right one 1. */
export type Side = 0 | 1;

/** A state, from one row to the row where it ends. */
export interface Stay {
  state: TcpState;
  timer?: SocketTimer;
  fromRow: number;
  toRow: number;
}

export interface Band {
  socket: string;
  side: Side;
  /** 0 is next to the life line. */
  lane: number;
  stays: Stay[];
  /** The row where it was seen to be gone, if it was. */
  closedRow?: number;
}

/** One host is on the left, all others are on the right. */
export function sideOf(trace: Pick<Trace, "hosts" | "events">, host: string): Side {
  return lifeLines(trace).left === host ? 0 : 1;
}

/** Every socket that changed its state, lanes not yet given. */
function bandsOf(trace: Trace, { rows, rowOf }: Rows): Band[] {
  const bands = new Map<string, Band>();
  for (const event of trace.events) {
    if (event.kind !== "state") continue;
    const row = rowOf.get(event.n)!;
    const { socket, from, to, timer } = event;
    let band = bands.get(socket);
    if (!band) {
      band = { socket, side: sideOf(trace, event.host), lane: 0, stays: [] };
      if (from !== "CLOSED") band.stays.push({ state: from, fromRow: 0, toRow: rows.length });
      bands.set(socket, band);
    }
    const before = band.stays.at(-1);
    if (before) before.toRow = row;
    if (to === "CLOSED") band.closedRow = row;
    else {
      delete band.closedRow;
      band.stays.push({ state: to, ...(timer && { timer }), fromRow: row, toRow: rows.length });
    }
  }
  return [...bands.values()].filter(({ stays }) => stays.length > 0);
}

const startOf = (band: Band) => band.stays[0]!.fromRow;
const endOf = (band: Band) => band.closedRow ?? band.stays.at(-1)!.toRow;

/** Bands with their lanes, connections inside of listeners; and how many lanes each side has. */
export function makeLanes(trace: Trace, rows: Rows): { bands: Band[]; counts: [number, number] } {
  const bands = bandsOf(trace, rows);
  const counts: [number, number] = [0, 0];
  const listens = ({ stays }: Band) => stays.some(({ state }) => state === "LISTEN");
  for (const side of [0, 1] as const) {
    for (const outer of [false, true]) {
      const first = counts[side];
      const ends: number[] = [];
      for (const band of bands) {
        if (band.side !== side || listens(band) !== outer) continue;
        const free = ends.findIndex((end) => end < startOf(band));
        const lane = free < 0 ? ends.length : free;
        ends[lane] = endOf(band);
        band.lane = first + lane;
      }
      counts[side] += ends.length;
    }
  }
  return { bands, counts };
}
