/** The steps that stories are made of. */
import type { Call } from "../call/call.ts";
import type { Recorder } from "../trace/recorder.ts";
import type { Ending, HostSpec, PendingCall, ProcessSpec, ProgramSpec, Signal } from "./world.ts";

/**
 * One step of a story, as data. Whoever runs the story does what the step says and hands the answer back; the story
 * itself touches nothing.
 */
export type Step =
  | { step: "host"; spec: HostSpec }
  | { step: "process"; spec: ProcessSpec }
  | { step: "program"; spec: ProgramSpec }
  /** The call is made, and what it sets going is let settle; it may not have returned then. */
  | { step: "call"; process: string; call: Call }
  /** Time passes until `until` is true; it may make no steps. The experiment fails if it is not within the time. */
  | { step: "wait"; what: string; until: () => boolean; withinMs: number }
  /** Time passes until a process or program has ended, or `until` is true, or the time is over. */
  | { step: "watch"; name: string; until: () => boolean; withinMs: number }
  | { step: "elapse"; ms: number }
  | { step: "release"; as: string; count: number }
  | { step: "signal"; name: string; signal: Signal }
  /** How a process or program has ended; undefined while it runs. */
  | { step: "ending"; name: string }
  | { step: "destroy"; socket: string }
  | { step: "set"; host: string; parameter: string; value: string | number }
  | { step: "counter"; host: string; name: string };

/** What each step is answered with. */
export interface Answers {
  /** The host's addresses. */
  host: string[];
  process: void;
  program: void;
  call: PendingCall;
  wait: void;
  watch: void;
  elapse: void;
  release: void;
  signal: void;
  ending: Ending | undefined;
  destroy: void;
  set: void;
  counter: number;
}

/** A part of a story: yields steps, returns what it found out. */
export type Story<T = void> = Generator<Step, T, unknown>;

/** Takes one step. */
export function* take<S extends Step>(step: S): Story<Answers[S["step"]]> {
  return (yield step) as Answers[S["step"]];
}

/** An expectation was not met: the story can't go on. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}

/** How long anything is waited for, unless said otherwise, milliseconds. */
export const PATIENCE_MS = 10_000;

/** What the things of a story know of the run they are part of. */
export interface Scene {
  readonly recorder: Recorder;
  /** Waits until it is so; the experiment fails if it does not come about. */
  until(what: string, until: () => boolean, withinMs?: number): Story;
}
