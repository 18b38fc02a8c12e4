import type { KnownSocket } from "../trace/recorder.ts";
import { Process } from "./process.ts";
import { Program } from "./program.ts";
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

  /** Starts a program of somebody else's. `command` is a shell's. */
  *program(name: string, command: string): Story<Program> {
    yield* take({ step: "program", spec: { name, host: this.name, command } });
    return new Program(this.scene, name);
  }

  /** Its sockets, as last seen. */
  get sockets(): readonly KnownSocket[] {
    return this.scene.recorder.socketsOf(this.name);
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
