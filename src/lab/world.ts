/** What the experiments' language needs of a world: the running kernel, or a model of TCP. */
import type { Call, Result } from "../call/call.ts";
import type { Link } from "../link/link.ts";
import type { Recorder } from "../trace/recorder.ts";

/**
 * What this world can't do, or not here: the experiment is reported as not run. `need` says what it takes, as it follows
 * "needs" in a sentence.
 */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  constructor(readonly need: string) {
    super(`needs ${need}`);
  }
}

export interface HostSpec {
  name: string;
  /** How many IPv4 addresses it has on the wire; 1 without. */
  addresses?: number;
  /** The longest packet that its device takes, bytes; 1500 without. */
  mtu?: number;
}

export interface ProcessSpec {
  name: string;
  host: string;
  /** It will end, fork, or change its user: it has to be one in the eyes of its system. */
  mortal?: boolean;
}

/** A program of somebody else's, started as an actor. */
export interface ProgramSpec {
  name: string;
  host: string;
  /** As a shell takes it. */
  command: string;
}

/** How a process or program ended: its exit status, or the signal that it died of. */
export interface Ending {
  status: number | null;
  signal: string | null;
}

/** A call that was made. `result` is there as soon as it has returned. */
export interface PendingCall {
  readonly call: Call;
  readonly result?: Result;
  /** The socket that a call made, or was about, by the trace's id. */
  readonly socket?: string;
}

export type Signal = "SIGINT" | "SIGTERM" | "SIGKILL";

/**
 * A world runs nothing by itself: calls are made, and between them somebody says how long it may go on. All times are
 * microseconds since the run began.
 */
export interface World {
  readonly kind: "kernel" | "model";
  /** For example `Linux 6.18.0`. */
  readonly system: string;
  /** Unix time in milliseconds; undefined where time is not real. */
  readonly startedAtMs: number | undefined;
  readonly link: Link;
  readonly recorder: Recorder;

  /** Returns the host's addresses on the wire, IPv4 first, the last one IPv6. */
  addHost(spec: HostSpec): string[];
  /** Throws {@link Unavailable}. */
  startProcess(spec: ProcessSpec): void;
  startProgram(spec: ProgramSpec): void;
  /** How it ended; undefined while it runs. */
  endingOf(name: string): Ending | undefined;

  /** Makes a call. It returns at once, or when the world moves on. */
  begin(process: string, call: Call): PendingCall;
  /** Moves segments until none is under way but those that wait for time, or are held. */
  settle(): void;
  /** Lets time pass until something happens, but not beyond `untilUs`. Settles. */
  advance(untilUs: number): void;

  /** Hands held segments to their hosts: all under the name, or the oldest `count`. */
  release(name: string, count?: number): void;
  /** Ends, or asks to end, a mortal process or a program. */
  signal(name: string, signal: Signal): void;
  /** Removes a socket from its system, as no program can: SOCK_DESTROY. */
  destroy(socket: string): void;
  /** Sets a parameter of a host, by the kernel's name: `net.ipv4.tcp_fin_timeout`. */
  set(host: string, parameter: string, value: string | number): void;
  /** A counter of the host, by the kernel's name: `PAWSEstab`, `OutRsts`. */
  counter(host: string, name: string): number;

  /** Ends every process, and leaves nothing behind. */
  close(): void;
}
