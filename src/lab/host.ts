import { Process } from "./process.ts";
import { take, type Scene, type Story } from "./story.ts";
import type { ProcessSpec } from "./world.ts";

/** A host of the story. */
export class Host {
  constructor(
    private readonly scene: Scene,
    readonly name: string,
    /** On the wire: IPv4 first, the last one IPv6. */
    readonly addresses: readonly string[],
  ) {}

  get address(): string {
    return this.addresses[0]!;
  }

  /** Starts a process. `mortal`: it will end, fork or change its user. */
  *process(name: string, more: Pick<ProcessSpec, "mortal"> = {}): Story<Process> {
    yield* take({ step: "process", spec: { name, host: this.name, ...more } });
    return new Process(this.scene, name, this);
  }

  /** Sets a kernel parameter, such as `net.ipv4.tcp_fin_timeout`. */
  *set(parameter: string, value: string | number): Story {
    yield* take({ step: "set", host: this.name, parameter, value });
  }

  /** A counter of the kernel's, such as `PAWSEstab`. */
  *counter(name: string): Story<number> {
    return yield* take({ step: "counter", host: this.name, name });
  }
}
