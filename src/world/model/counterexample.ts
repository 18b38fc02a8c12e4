/**
 * A way that a search has found, gone once more by the hosts themselves, and written down as any run is. Every step must
 * lead to the state that the search says it does.
 */
import type { Call } from "../../call/call.ts";
import { decodePacket } from "../../codec/packet.ts";
import type { Host } from "../../host/index.ts";
import type { Witness, Situation } from "../../prove/actor.ts";
import type { Setting } from "../../prove/question.ts";
import { TICK_US } from "../../prove/question.ts";
import { CLIENT, SERVER } from "../../prove/programs.ts";
import type { Counterexample } from "../../prove/search.ts";
import type { Happening } from "../../prove/side.ts";
import { moveOf, type Move } from "../../prove/ways.ts";
import { Recorder } from "../../trace/recorder.ts";
import { segmentRecord } from "../../trace/segment-record.ts";
import { TRACE_SCHEMA, type SegmentFate, type Trace } from "../../trace/trace.ts";
import { look } from "./observer.ts";
import { toBytes } from "./packets.ts";

/** A segment on its way: its number for the search, and what the trace calls it. */
interface Flying {
  segment: number;
  id: number;
  /** The event of its sending. */
  event: number;
  ticksLeft: number;
  /** The step at which it strayed. */
  strayedAt: number;
}

/** What the wire's rules would be called, had there been any. */
const RULES = { dropped: "the network loses it", held: "the network delays it", duplicated: "the network copies it" };

class Replay {
  #nowUs = 0;
  readonly recorder = new Recorder(() => this.#nowUs);
  readonly #situations: [Situation, Situation];
  readonly #queues: [Flying[], Flying[]] = [[], []];
  #strays: Flying[] = [];
  /** The event that last made each host do something. */
  readonly #touchedBy: [number | undefined, number | undefined] = [undefined, undefined];

  constructor(
    private readonly setting: Setting,
    private readonly counterexample: Counterexample,
  ) {
    this.#situations = [...setting.bare];
    for (const [i, { address }] of [CLIENT, SERVER].entries()) {
      this.recorder.hosts.push({ name: setting.names[i]!, addresses: [address] });
      this.recorder.note("process", "starts", { host: setting.names[i]!, process: setting.names[i]! });
    }
    // The server listens before the search begins.
    this.#happen(1, { do: "call", process: 0 });
  }

  #witness(host: 0 | 1): Witness {
    const { recorder } = this;
    const name = this.setting.names[host];
    const key = (socket: string | undefined) => (socket === undefined ? undefined : recorder.idOf(name, socket));
    let binds = false;
    return {
      called: (process, call: Call, socket) => {
        const isNew = call.name === "socket" || call.name === "accept";
        const event = recorder.call({ name: process, host: name }, call, isNew ? undefined : key(socket));
        binds = call.name === "bind";
        this.#touchedBy[host] = event;
        this.#calls.set(process, event);
      },
      returned: (process, result, socket) => {
        recorder.result({ name: process, host: name }, this.#calls.get(process)!, result, key(socket));
      },
      changed: (model: Host) => {
        const wentOff = look(recorder, name, model, this.#touchedBy[host], binds);
        if (wentOff !== undefined) this.#touchedBy[host] = wentOff;
      },
      sent: (packet) => {
        const bytes = toBytes(packet);
        const decoded = decodePacket(bytes);
        if (!decoded.ok) throw new Error("a packet of our own can't be decoded");
        const to = host === 0 ? 1 : 0;
        const id = recorder.nextSegment();
        const cause = this.#touchedBy[host];
        const record = segmentRecord(bytes, decoded.value, name, this.setting.names[to]);
        const sent = { kind: "segment", segment: id, fate: "sent", host: name, packet: record } as const;
        const n = recorder.add(cause === undefined ? sent : { ...sent, cause });
        const segment = this.setting.packets.number(packet);
        this.#queues[to].push({ segment, id, event: n, ticksLeft: 0, strayedAt: 0 });
      },
    };
  }
  readonly #calls = new Map<string, number>();

  #happen(host: 0 | 1, happening: Happening): void {
    const witness = this.#witness(host);
    const after = this.setting.actors[host].after(this.#situations[host], happening, witness);
    if (!after) throw new Error("a step of the search can't be taken");
    this.#situations[host] = after.host;
  }

  #fate({ id, event }: Flying, fate: SegmentFate, more: { host?: string; rule?: string; copy?: number } = {}): number {
    return this.recorder.add({ kind: "segment", segment: id, fate, cause: event, ...more });
  }

  #arrive(host: 0 | 1, flying: Flying): void {
    this.#touchedBy[host] = this.#fate(flying, "delivered", { host: this.setting.names[host] });
    this.#happen(host, { do: "receive", segment: flying.segment });
  }

  /** The first in a queue leaves it. Whether it will ever arrive, the rest of the way tells. */
  #stray(flying: Flying, at: number, fate: "held" | "duplicated"): void {
    const stray: Flying = { ...flying, ticksLeft: this.setting.system.beginning.life, strayedAt: at };
    this.#strays.push(stray);
    this.#sortStrays();
    if (this.#arrivals().has(at))
      this.#fate(flying, fate, { rule: RULES[fate], ...(fate === "duplicated" && { copy: 2 }) });
    else if (fate === "held") this.#fate(flying, "dropped", { rule: RULES.dropped });
  }

  /** In the order that the search has them in. */
  #sortStrays(): void {
    this.#strays.sort((a, b) => a.segment - b.segment || a.ticksLeft - b.ticksLeft);
  }

  /** The steps at which those strayed that arrive in the end. */
  #arrivals(): Set<number> {
    this.#arrived ??= arrivalsOf(this.setting, this.counterexample);
    return this.#arrived;
  }
  #arrived: Set<number> | undefined;

  #step(move: Move, at: number): void {
    switch (move.do) {
      case "call":
        this.#happen(move.host, move);
        return;
      case "deliver": {
        const flying = this.#queues[move.host].shift()!;
        if (move.copied) this.#stray(flying, at, "duplicated");
        this.#arrive(move.host, flying);
        return;
      }
      case "stray":
        this.#stray(this.#queues[move.host].shift()!, at, "held");
        return;
      case "arrive": {
        const [flying] = this.#strays.splice(move.stray, 1);
        this.#fate(flying!, "released");
        this.#arrive(move.host, flying!);
        return;
      }
      case "timeout":
        this.#touchedBy[move.host] = undefined;
        this.#strays = this.#strays.filter(({ ticksLeft }) => ticksLeft > 0);
        this.#happen(move.host, move);
        return;
      case "tick":
        this.#tick();
    }
  }

  #tick(): void {
    for (const host of [0, 1] as const) this.#happen(host, { do: "tick" });
    this.#nowUs += TICK_US;
    this.#strays = this.#strays.filter(({ ticksLeft }) => ticksLeft > 0);
    for (const stray of this.#strays) stray.ticksLeft--;
    this.#sortStrays();
  }

  run(): Recorder {
    const { system, actors } = this.setting;
    for (const [at, { step, state }] of this.counterexample.steps.entries()) {
      this.#step(moveOf(step), at);
      for (const host of [0, 1] as const) {
        const expected = actors[host].key(system.sides[host].host(state[host]!));
        if (actors[host].key(this.#situations[host]) !== expected) {
          throw new Error(`step ${at + 1} does not lead where the search says`);
        }
      }
    }
    return this.recorder;
  }
}

/** Which strays arrive, by the steps at which they strayed. */
function arrivalsOf({ system }: Setting, { initial, steps }: Counterexample): Set<number> {
  const arrived = new Set<number>();
  let strays: { segment: number; ticksLeft: number; at: number }[] = [];
  let before = initial;
  for (const [at, { step, state }] of steps.entries()) {
    const move = moveOf(step);
    const traffic = system.traffic(before);
    if (move.do === "stray" || (move.do === "deliver" && move.copied)) {
      strays.push({ segment: traffic.queues[move.host][0]!, ticksLeft: system.beginning.life, at });
    } else if (move.do === "arrive") {
      arrived.add(strays.splice(move.stray, 1)[0]!.at);
    } else if (move.do === "tick") {
      strays = strays.filter(({ ticksLeft }) => ticksLeft > 0);
      for (const stray of strays) stray.ticksLeft--;
    } else if (move.do === "timeout") {
      strays = strays.filter(({ ticksLeft }) => ticksLeft > 0);
    }
    strays.sort((a, b) => a.segment - b.segment || a.ticksLeft - b.ticksLeft);
    before = state;
  }
  return arrived;
}

/** The trace of a counterexample. */
export function traceOf(
  setting: Setting,
  counterexample: Counterexample,
  experiment: Trace["experiment"],
  because: string,
): Trace {
  const recorder = new Replay(setting, counterexample).run();
  return {
    schema: TRACE_SCHEMA,
    experiment,
    world: "model",
    system: "as Linux has it, in ticks of half a second",
    hosts: recorder.hosts,
    sockets: recorder.sockets,
    events: recorder.events,
    outcome: { status: "done", verdict: { holds: "no", because } },
  };
}
