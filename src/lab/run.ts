/** Runs an experiment in a world: takes the story's steps one by one, and makes a trace of what happens. */
import { Link } from "../link/link.ts";
import { Recorder } from "../trace/recorder.ts";
import type { Outcome, Trace } from "../trace/trace.ts";
import { TRACE_SCHEMA } from "../trace/trace.ts";
import type { Experiment } from "./experiment.ts";
import { Lab } from "./lab.ts";
import { Unmet, type Answers, type Step } from "./story.ts";
import { Unavailable, type World } from "./world.ts";

function wait(world: World, { what, until, withinMs }: Step & { step: "wait" }): void {
  const deadlineUs = world.recorder.nowUs() + withinMs * 1000;
  while (!until()) {
    if (world.recorder.nowUs() >= deadlineUs) {
      world.recorder.note("expectation", what, { met: false });
      throw new Unmet(`waited ${withinMs / 1000} s for: ${what}`);
    }
    world.advance(deadlineUs);
  }
}

function watch(world: World, { name, until, withinMs }: Step & { step: "watch" }): void {
  const deadlineUs = world.recorder.nowUs() + withinMs * 1000;
  while (!until() && !world.endingOf(name) && world.recorder.nowUs() < deadlineUs) world.advance(deadlineUs);
  world.settle();
}

function elapse(world: World, ms: number): void {
  const endUs = world.recorder.nowUs() + ms * 1000;
  while (world.recorder.nowUs() < endUs) world.advance(endUs);
}

/** Does what a step says. Returns its answer. */
export function perform(world: World, step: Step): Answers[keyof Answers] {
  switch (step.step) {
    case "host":
      return world.addHost(step.spec);
    case "process":
      return world.startProcess(step.spec);
    case "program":
      return world.startProgram(step.spec);
    case "call": {
      const pending = world.begin(step.process, step.call);
      world.settle();
      return pending;
    }
    case "wait":
      return wait(world, step);
    case "watch":
      return watch(world, step);
    case "ending":
      return world.endingOf(step.name);
    case "elapse":
      return elapse(world, step.ms);
    case "release":
      return world.release(step.as, step.count);
    case "signal":
      return world.signal(step.name, step.signal);
    case "destroy":
      return world.destroy(step.socket);
    case "set":
      return world.set(step.host, step.parameter, step.value);
    case "counter":
      return world.counter(step.host, step.name);
  }
}

/** The names of the hosts, which each story makes before all else: it is told no further, and nothing is run. */
export function hostNames(experiment: Experiment): string[] {
  const names: string[] = [];
  const story = experiment.story(new Lab(new Recorder(() => 0), new Link()));
  for (let next = story.next(); !next.done && next.value.step === "host"; next = story.next([])) {
    names.push(next.value.spec.name);
  }
  return names;
}

function tell(experiment: Experiment, world: World): Outcome {
  try {
    const story = experiment.story(new Lab(world.recorder, world.link));
    let next = story.next();
    while (!next.done) next = story.next(perform(world, next.value));
    return { status: "done", verdict: next.value };
  } catch (error) {
    if (error instanceof Unmet) return { status: "failed", reason: error.message };
    if (error instanceof Unavailable) return { status: "not run", reason: error.message };
    throw error;
  }
}

/** Runs an experiment to its end and closes the world. Throws what is no answer of the experiment: errors of the lab's. */
export function runExperiment(experiment: Experiment, world: World): Trace {
  try {
    const outcome = tell(experiment, world);
    const { kind, system, startedAtMs, recorder } = world;
    const { id, title, claims, article } = experiment;
    const { hosts, sockets, events } = recorder;
    return {
      schema: TRACE_SCHEMA,
      experiment: { id, title, claims, article },
      world: kind,
      system,
      ...(startedAtMs !== undefined && { startedAtMs }),
      hosts,
      sockets,
      events,
      outcome,
    };
  } finally {
    world.close();
  }
}
