import { take, type Scene, type Story } from "./story.ts";
import type { Ending, Signal } from "./world.ts";

/** A program of somebody else's that runs on a host. */
export class Program {
  constructor(
    private readonly scene: Scene,
    readonly name: string,
  ) {}

  /** Waits until it has ended, or `until` is true, at most `withinMs`. Returns how it ended, if it did. */
  *watch(until: () => boolean, withinMs: number): Story<Ending | undefined> {
    yield* take({ step: "watch", name: this.name, until, withinMs });
    return yield* take({ step: "ending", name: this.name });
  }

  *signal(signal: Signal): Story {
    yield* take({ step: "signal", name: this.name, signal });
  }

  /** What it has written so far, line by line. */
  get output(): string[] {
    const lines: string[] = [];
    for (const event of this.scene.recorder.events) {
      if (event.kind === "note" && event.about === "output" && event.process === this.name) lines.push(event.text);
    }
    return lines;
  }
}
