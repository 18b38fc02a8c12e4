/** The language in which experiments are written: hosts, processes, sockets and the wire, as a story tells of them. */
import type { Link } from "../link/link.ts";
import type { Recorder } from "../trace/recorder.ts";
import { Host } from "./host.ts";
import { LabWire } from "./lab-wire.ts";
import { PATIENCE_MS, take, Unmet, type Scene, type Story } from "./story.ts";
import type { HostSpec } from "./world.ts";

export class Lab implements Scene {
  readonly wire: LabWire;

  constructor(
    readonly recorder: Recorder,
    link: Link,
  ) {
    this.wire = new LabWire(recorder, link);
  }

  *host(name: string, more: Omit<HostSpec, "name"> = {}): Story<Host> {
    return new Host(this, name, yield* take({ step: "host", spec: { name, ...more } }));
  }

  /** The two hosts of most stories. */
  *hosts(more: { client?: Omit<HostSpec, "name">; server?: Omit<HostSpec, "name"> } = {}): Story<{
    client: Host;
    server: Host;
  }> {
    return { client: yield* this.host("client", more.client), server: yield* this.host("server", more.server) };
  }

  /** Says what happens now, to the reader. */
  say(text: string): void {
    this.recorder.note("story", text);
  }

  /** What must be so; the experiment fails where it is not. Values are compared as JSON. */
  expect(what: string, actual: unknown, expected: unknown): void {
    const met = JSON.stringify(actual) === JSON.stringify(expected);
    this.recorder.note(
      "expectation",
      met ? `${what}: ${show(actual)}` : `${what}: ${show(actual)}, not ${show(expected)}`,
      {
        met,
      },
    );
    if (!met) throw new Unmet(`${what}: expected ${show(expected)}, found ${show(actual)}`);
  }

  /** Waits until it is so; the experiment fails if it does not come about. */
  *until(what: string, until: () => boolean, withinMs = PATIENCE_MS): Story {
    yield* take({ step: "wait", what, until, withinMs });
    this.recorder.note("expectation", what, { met: true });
  }

  /** Lets time pass: where time itself is the point. */
  *elapse(ms: number): Story {
    yield* take({ step: "elapse", ms });
  }
}

/** A value as people read it: lists with commas, records as names and values. */
function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(show).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  const plain: unknown = "toJSON" in value && typeof value.toJSON === "function" ? value.toJSON() : value;
  if (typeof plain !== "object" || plain === null) return show(plain);
  return Object.entries(plain)
    .map(([name, part]) => `${name} ${show(part)}`)
    .join(", ");
}
