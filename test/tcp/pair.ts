/** Two connections and a faulty network between them, in virtual time. All randomness comes from one seed. */
import type { TcpSegment } from "../../src/codec/tcp.ts";
import { decodeTcp, encodeTcp } from "../../src/codec/tcp.ts";
import * as tcp from "../../src/tcp/index.ts";
import { seq } from "../../src/codec/seq.ts";
import { generator } from "../support/random.ts";
import { pattern } from "./socket.ts";

export interface Faults {
  seed: number;
  /** Probabilities. */
  loss: number;
  duplication: number;
  /** How long a segment is on its way: at least, and at most. */
  delayUs: [number, number];
}

export const NO_FAULTS: Faults = { seed: 1, loss: 0, duplication: 0, delayUs: [10_000, 10_000] };

/** What a user does: sends so much, and reads to the end; then it closes. */
export interface User {
  sends: number;
  /** Closes its direction as soon as all is sent, not only when the peer has. */
  halfCloses: boolean;
  /** Reads no more than this at a time, and only every so often. */
  readsAtMost: number;
}

class End {
  sent = 0;
  readonly received: Uint8Array[] = [];
  length = 0;
  sawEnd = false;
  closed = false;

  constructor(
    readonly name: "client" | "server",
    public connection: tcp.Connection,
    readonly user: User,
  ) {}

  /** The user does what it can. */
  act(nowUs: number): void {
    const { connection, user } = this;
    while (this.sent < user.sends) {
      const room = tcp.sendRoom(connection) ?? 0;
      if (room === 0) break;
      this.sent += tcp.send(connection, pattern(this.sent, Math.min(room, user.sends - this.sent, 4096))) ?? 0;
    }
    for (let bytes; (bytes = tcp.receive(connection, user.readsAtMost)) !== undefined;) {
      if (bytes === null) this.sawEnd = connection.error === null;
      if (bytes === null || bytes.length === 0) break;
      this.received.push(bytes);
      this.length += bytes.length;
    }
    const started =
      connection.state !== "LISTEN" && connection.state !== "SYN-SENT" && connection.state !== "SYN-RECEIVED";
    if (!started || this.sent < user.sends || this.closed) return;
    if (user.halfCloses) tcp.shutdown(connection);
    if (this.sawEnd) {
      tcp.close(connection, nowUs);
      this.closed = true;
    }
  }
}

interface Flying {
  atUs: number;
  number: number;
  to: End;
  segment: TcpSegment;
}

export interface PairOptions {
  faults?: Partial<Faults>;
  client?: Partial<User>;
  server?: Partial<User>;
  settings?: Partial<tcp.Settings>;
  /** Both open actively. */
  simultaneous?: boolean;
}

const USER: User = { sends: 0, halfCloses: true, readsAtMost: 1 << 20 };
/** More than any run needs: one that goes beyond it goes round in circles. */
const STEPS_MAX = 200_000;

export class Pair {
  nowUs = 0;
  readonly client: End;
  readonly server: End;
  readonly #random: () => number;
  readonly #faults: Faults;
  #flying: Flying[] = [];
  #number = 0;
  /** Every segment that was sent: when, by whom, its bytes. */
  readonly log: string[] = [];
  logs = false;

  constructor(options: PairOptions = {}) {
    this.#faults = { ...NO_FAULTS, ...options.faults };
    this.#random = generator(this.#faults.seed);
    const isn = () => seq(Math.floor(this.#random() * 2 ** 32));
    const make = (localPort: number, remotePort: number) =>
      tcp.settingsOf({ ...options.settings, localPort, remotePort });
    const active = tcp.connect(make(40_000, 80), isn());
    const other = options.simultaneous ? tcp.connect(make(80, 40_000), isn()) : tcp.listen(make(80, 0), isn());
    this.client = new End("client", active, { ...USER, ...options.client });
    this.server = new End("server", other, { ...USER, ...options.server });
  }

  get ends(): readonly End[] {
    return [this.client, this.server];
  }

  /** Users act, and what is sent goes on its way. */
  settle(): void {
    for (const end of this.ends) {
      end.act(this.nowUs);
      for (let segment; (segment = tcp.pollTransmit(end.connection, this.nowUs));) this.#carry(end, segment);
    }
  }

  #carry(from: End, segment: TcpSegment): void {
    const to = from === this.client ? this.server : this.client;
    const bytes = encodeTcp(segment);
    if (this.logs) this.log.push(`${this.nowUs} ${from.name} ${Buffer.from(bytes).toString("hex")}`);
    const { loss, duplication, delayUs } = this.#faults;
    for (let copy = 0; copy < 2; copy++) {
      if (copy === 1 && this.#random() >= duplication) break;
      const delay = Math.floor(delayUs[0] + this.#random() * (delayUs[1] - delayUs[0]));
      if (this.#random() < loss) continue;
      const arrived = decodeTcp(bytes);
      if (!arrived.ok) throw new Error("a segment of our own can't be decoded");
      this.#flying.push({ atUs: this.nowUs + delay, number: this.#number++, to, segment: arrived.value });
    }
  }

  /** Goes to the next moment at which anything happens. False if nothing ever will. */
  step(): boolean {
    this.settle();
    const next = this.#flying.reduce<Flying | undefined>(
      (least, one) =>
        !least || one.atUs < least.atUs || (one.atUs === least.atUs && one.number < least.number) ? one : least,
      undefined,
    );
    const timeouts = this.ends.map(({ connection }) => tcp.pollTimeout(connection) ?? Infinity);
    const at = Math.min(next?.atUs ?? Infinity, ...timeouts);
    if (at === Infinity) return false;
    this.nowUs = Math.max(this.nowUs, at);
    if (next && next.atUs <= at) {
      this.#flying = this.#flying.filter((one) => one !== next);
      tcp.handleSegment(next.to.connection, this.nowUs, next.segment);
    } else {
      for (const [i, end] of this.ends.entries()) if (timeouts[i]! <= at) tcp.handleTimeout(end.connection, this.nowUs);
    }
    return true;
  }

  /** Until nothing happens any more, or `done` says so. */
  drive(done: () => boolean = () => false): void {
    for (let steps = 0; !done(); steps++) {
      if (steps > STEPS_MAX) throw new Error("it goes round in circles");
      if (!this.step()) return;
    }
  }
}

/** Whether what an end has received is what the other has sent, from its beginning. */
export function isPrefix(received: readonly Uint8Array[]): boolean {
  let at = 0;
  for (const bytes of received) {
    for (const byte of bytes) if (byte !== at++ % 251) return false;
  }
  return true;
}
