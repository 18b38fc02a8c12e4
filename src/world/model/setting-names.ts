/** The settings of a model world by their names, as people give them: `msl=5s`. */
import { isParameter } from "../../host/index.ts";
import { LINUX, RFC9293 } from "../../tcp/index.ts";
import type { ModelSettings } from "./settings.ts";

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000, m: 60_000_000 };

/** What kind of value a setting has: how it is read, and written again. */
export interface Kind {
  /** As it follows "expected". */
  readonly expected: string;
  /** undefined: it is none. */
  read(text: string): number | undefined;
  write(value: number): string;
}

const DURATION: Kind = {
  expected: "a time, such as 200ms, 5s or 2m",
  read(text) {
    const match = /^(\d+(?:\.\d+)?)(us|ms|s|min)?$/.exec(text);
    if (!match || (match[2] === undefined && Number(match[1]) !== 0)) return undefined;
    return Math.round(Number(match[1]) * (UNITS[match[2] ?? "us"] ?? 1));
  },
  write(value) {
    const [unit, size] = Object.entries(UNITS).findLast(([name, us]) => name !== "m" && value >= us) ?? ["s", 1];
    return value === 0 ? "0" : `${Number((value / size).toFixed(3))}${unit}`;
  },
};

const PROBABILITY: Kind = {
  expected: "a probability from 0 to 1",
  read(text) {
    const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
    return value >= 0 && value <= 1 ? value : undefined;
  },
  write: (value) => String(Number(value.toFixed(4))),
};

function bytes(least: number, most: number): Kind {
  return {
    expected: `a whole number from ${least} to ${most}`,
    read(text) {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? value : undefined;
    },
    write: (value) => String(Math.round(value)),
  };
}

/** What fits into an IPv4 packet, and leaves room for options (TCP_MIN_SND_MSS, include/net/tcp.h). */
const SEGMENT = bytes(48, 65_495);
const BUFFER = bytes(1024, 2 ** 30);

/** A setting that has a number. */
interface Setting {
  readonly kind: Kind;
  /** One line of help. */
  readonly help: string;
  /** Another word for 0. */
  readonly off?: boolean;
  apply(settings: ModelSettings, value: number): ModelSettings;
}

const connection = (settings: ModelSettings, more: ModelSettings["connection"]): ModelSettings => ({
  ...settings,
  connection: { ...settings.connection, ...more },
});
const chance = (settings: ModelSettings, more: Partial<ModelSettings["chance"]>): ModelSettings => ({
  ...settings,
  chance: { ...settings.chance, ...more },
});

export const SETTINGS: Readonly<Record<string, Setting>> = {
  msl: {
    kind: DURATION,
    help: "the maximum segment lifetime: TIME-WAIT lasts twice as long (30s, without)",
    apply: (settings, value) => connection(settings, { timeWaitUs: Math.round(2 * value) }),
  },
  timeWait: {
    kind: DURATION,
    help: "how long TIME-WAIT lasts; off: there is none",
    off: true,
    apply: (settings, value) => connection(settings, { timeWaitUs: Math.round(value) }),
  },
  loss: {
    kind: PROBABILITY,
    help: "how likely the wire is to lose a segment",
    apply: (settings, loss) => chance(settings, { loss }),
  },
  duplication: {
    kind: PROBABILITY,
    help: "how likely a segment is to arrive twice",
    apply: (settings, duplication) => chance(settings, { duplication }),
  },
  delay: {
    kind: DURATION,
    help: "how long a segment is on its way",
    apply: (settings, value) => chance(settings, { delayUs: Math.round(value) }),
  },
  jitter: {
    kind: DURATION,
    help: "how much longer it may be, by chance: one may overtake another",
    apply: (settings, value) => chance(settings, { jitterUs: Math.round(value) }),
  },
  mss: {
    kind: SEGMENT,
    help: "bytes of data that a segment takes (1460, without)",
    apply: (settings, value) => connection(settings, { mss: Math.round(value) }),
  },
  receiveBuffer: {
    kind: BUFFER,
    help: "bytes that a receiver keeps for its program",
    apply: (settings, value) => connection(settings, { receiveBuffer: Math.round(value) }),
  },
  sendBuffer: {
    kind: BUFFER,
    help: "bytes that a sender takes before write blocks",
    apply: (settings, value) => connection(settings, { sendBuffer: Math.round(value) }),
  },
};

const PROFILES = { linux: LINUX, rfc9293: RFC9293 };

/** A setting that is none, or that can't have this value. The message says what is expected. */
export class BadSetting extends Error {
  override readonly name = "BadSetting";
}

/** The setting of this name that has a number. Throws {@link BadSetting}. */
export function settingNamed(name: string): Setting {
  const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  if (setting) return setting;
  const names = [...Object.keys(SETTINGS), "profile", "a parameter of the kernel's"];
  throw new BadSetting(`there is no setting '${name}': expected ${names.join(", ")}`);
}

export function readValue({ kind, off = false }: Setting, name: string, text: string): number {
  const value = off && text === "off" ? 0 : kind.read(text);
  if (value === undefined) throw new BadSetting(`${name}=${text}: expected ${kind.expected}${off ? ", or off" : ""}`);
  return value;
}

/** The settings with one more, given as `name=value`. Throws {@link BadSetting}. */
export function applySetting(settings: ModelSettings, given: string): ModelSettings {
  const at = given.indexOf("=");
  const [name, text] = [given.slice(0, at), given.slice(at + 1)];
  if (at <= 0 || text === "") throw new BadSetting(`'${given}': expected NAME=VALUE`);
  if (name === "profile") {
    const profile = Object.hasOwn(PROFILES, text) ? PROFILES[text as keyof typeof PROFILES] : undefined;
    if (!profile) throw new BadSetting(`profile=${text}: expected ${Object.keys(PROFILES).join(" or ")}`);
    return { ...settings, profile };
  }
  if (isParameter(name) && !/^\d+( \d+)*$/.test(text)) throw new BadSetting(`${given}: expected numbers`);
  if (isParameter(name)) return { ...settings, parameters: { ...settings.parameters, [name]: text } };
  const setting = settingNamed(name);
  return setting.apply(settings, readValue(setting, name, text));
}

/** Whether runs with these settings differ by more than their sequence numbers. */
export function isLeftToChance({ chance: { loss, duplication, jitterUs } }: ModelSettings): boolean {
  return loss > 0 || duplication > 0 || jitterUs > 0;
}
