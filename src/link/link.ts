/**
 * The wire between the hosts: takes each segment that a host sends and says, by rules, what becomes of it. Pure: time is a
 * parameter, and the same segments with the same rules fare the same. Both worlds use it.
 */
import { hopsLeft } from "../codec/ip.ts";
import { passagesOf, type Chance } from "./chance.ts";
import { matches, type Rule } from "./rule.ts";
import { modified, type LinkSegment } from "./segment.ts";

/**
 * What happens to a segment, in the order in which it does. A `delivered` one's bytes are to be handed to its host, with
 * `hopsLeft` written into them.
 */
export type LinkEvent =
  | { fate: "dropped" | "held" | "modified"; segment: LinkSegment; rule: string }
  | { fate: "released" | "expired"; segment: LinkSegment }
  | { fate: "delayed"; segment: LinkSegment; rule: string; byUs: number }
  | { fate: "duplicated"; segment: LinkSegment; rule: string; copy: number }
  | { fate: "delivered"; segment: LinkSegment; hopsLeft: number; copy?: number };

interface Waiting {
  segment: LinkSegment;
  dueUs: number;
  copy?: number;
}

/** A segment that lets others of its host go first. */
interface Overtaken {
  segment: LinkSegment;
  behind: number;
}

export class Link {
  readonly #rules: Rule[] = [];
  readonly #seen = new Map<Rule, number>();
  readonly #held = new Map<string, LinkSegment[]>();
  #waiting: Waiting[] = [];
  #overtaken: Overtaken[] = [];
  /** What happens to what no rule is about, from which random numbers; undefined: it passes. */
  chance: { of: Chance; random: () => number } | undefined;
  /** How many routers stand between the hosts: each takes one hop, and discards what has none left (RFC 791, TTL). */
  routers = 1;

  /** Adds a rule. The first that matches a segment decides. */
  add(rule: Rule): void {
    this.#rules.push(rule);
  }

  /** Takes a rule away; from then on what it matched passes. */
  remove(name: string): void {
    for (let i = this.#rules.length - 1; i >= 0; i--) if (this.#rules[i]!.name === name) this.#rules.splice(i, 1);
  }

  /** How many segments the rule has been applied to. */
  applied(name: string): number {
    return this.#rules.reduce((sum, rule) => {
      if (rule.name !== name) return sum;
      const count = Math.max(0, (this.#seen.get(rule) ?? 0) - (rule.skip ?? 0));
      return sum + Math.min(count, rule.times ?? Infinity);
    }, 0);
  }

  /** The segments that are held under this name, oldest first. */
  held(name: string): readonly LinkSegment[] {
    return this.#held.get(name) ?? [];
  }

  /** When the next delayed segment is due, microseconds; undefined if none is. */
  get nextDueUs(): number | undefined {
    return this.#waiting.reduce<number | undefined>(
      (least, { dueUs }) => (least === undefined ? dueUs : Math.min(least, dueUs)),
      undefined,
    );
  }

  #ruleFor(segment: LinkSegment): Rule | undefined {
    for (const rule of this.#rules) {
      if (!matches(rule.match, segment)) continue;
      const seen = (this.#seen.get(rule) ?? 0) + 1;
      this.#seen.set(rule, seen);
      const turn = seen - (rule.skip ?? 0);
      if (turn >= 1 && turn <= (rule.times ?? Infinity)) return rule;
    }
    return undefined;
  }

  /** A host has sent a segment. */
  offer(segment: LinkSegment, nowUs: number): LinkEvent[] {
    const rule = this.#ruleFor(segment);
    const events = rule ? this.#apply(rule, segment, nowUs) : this.#pass(segment, nowUs);
    if (rule?.action.do !== "reorder" && events.some(({ fate }) => fate === "delivered")) {
      events.push(...this.#overtake(segment.from));
    }
    return events;
  }

  #pass(segment: LinkSegment, nowUs: number): LinkEvent[] {
    if (!this.chance) return [this.#deliver(segment)];
    const passages = passagesOf(this.chance.of, this.chance.random);
    if (passages.length === 0) return [{ fate: "dropped", segment, rule: "loss" }];
    return passages.flatMap(({ copy, delayUs }): LinkEvent[] => {
      const more = copy > 1 && { copy };
      const events: LinkEvent[] = copy > 1 ? [{ fate: "duplicated", segment, rule: "duplication", copy }] : [];
      if (delayUs === 0) return [...events, { ...this.#deliver(segment), ...more } as LinkEvent];
      this.#waiting.push({ segment, dueUs: nowUs + delayUs, ...more });
      return [...events, { fate: "delayed", segment, rule: "delay", byUs: delayUs }];
    });
  }

  #apply({ action, name: rule }: Rule, segment: LinkSegment, nowUs: number): LinkEvent[] {
    switch (action.do) {
      case "drop":
        return [{ fate: "dropped", segment, rule }];
      case "hold":
        this.#keep(action.as, segment);
        return [{ fate: "held", segment, rule }];
      case "copy":
        this.#keep(action.as, segment);
        return [{ fate: "duplicated", segment, rule, copy: 2 }, this.#deliver(segment)];
      case "delay":
        this.#waiting.push({ segment, dueUs: nowUs + action.byUs });
        return [{ fate: "delayed", segment, rule, byUs: action.byUs }];
      case "duplicate": {
        const events: LinkEvent[] = [this.#deliver(segment)];
        for (let copy = 2; copy <= action.copies + 1; copy++) {
          events.push({ fate: "duplicated", segment, rule, copy });
          events.push({ ...this.#deliver(segment), copy } as LinkEvent);
        }
        return events;
      }
      case "reorder":
        this.#overtaken.push({ segment, behind: action.behind });
        return [{ fate: "held", segment, rule }];
      case "modify": {
        const changed = modified(segment, action.change);
        return [{ fate: "modified", segment: changed, rule }, this.#deliver(changed)];
      }
    }
  }

  #keep(name: string, segment: LinkSegment): void {
    const held = this.#held.get(name);
    if (held) held.push(segment);
    else this.#held.set(name, [segment]);
  }

  #deliver(segment: LinkSegment): LinkEvent {
    const hops = hopsLeft(segment.packet.ip);
    if (hops <= this.routers) return { fate: "expired", segment };
    return { fate: "delivered", segment, hopsLeft: hops - this.routers };
  }

  /** A segment of this host has passed: those that wait behind it come one step nearer. */
  #overtake(from: string): LinkEvent[] {
    for (const waiting of this.#overtaken) if (waiting.segment.from === from) waiting.behind--;
    const ready = this.#overtaken.filter(({ behind }) => behind <= 0);
    this.#overtaken = this.#overtaken.filter(({ behind }) => behind > 0);
    return ready.flatMap(({ segment }): LinkEvent[] => [{ fate: "released", segment }, this.#deliver(segment)]);
  }

  /** Delayed segments whose time has come, in the order of their times. */
  due(nowUs: number): LinkEvent[] {
    const ready = this.#waiting.filter(({ dueUs }) => dueUs <= nowUs).sort((a, b) => a.dueUs - b.dueUs);
    if (ready.length === 0) return [];
    this.#waiting = this.#waiting.filter(({ dueUs }) => dueUs > nowUs);
    return ready.map(({ segment, copy }) => {
      const event = this.#deliver(segment);
      return copy === undefined ? event : ({ ...event, copy } as LinkEvent);
    });
  }

  /** Lets go what is held under this name: all of it, or the oldest `count`. */
  release(name: string, count = Infinity): LinkEvent[] {
    const held = this.#held.get(name) ?? [];
    return held
      .splice(0, count)
      .flatMap((segment): LinkEvent[] => [{ fate: "released", segment }, this.#deliver(segment)]);
  }
}
