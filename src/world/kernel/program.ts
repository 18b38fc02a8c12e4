/** A program of somebody else's, started on a host. */
import type { Ending, ProgramSpec, Signal } from "../../lab/world.ts";
import type { Recorder } from "../../trace/recorder.ts";
import type { KernelHost } from "./host.ts";

export class Program {
  constructor(
    readonly spec: ProgramSpec,
    readonly host: KernelHost,
    readonly recorder: Recorder,
  ) {}
  read(): void {}
  signal(_signal: Signal): void {}
  ending(): Ending | undefined {
    return undefined;
  }
  close(): void {}
}
