/** What can be chosen for a model world, and for no kernel. */
import { NO_CHANCE, type Chance } from "../../link/chance.ts";
import { LINUX, type Profile } from "../../tcp/index.ts";
import type { HostSettings, Parameters } from "../../host/index.ts";

export interface ModelSettings {
  /** What the trace calls it. */
  readonly name: string;
  readonly profile: Profile;
  /** What connections have instead of what parameters and profile say. */
  readonly connection: HostSettings["connection"];
  /** Parameters that every host begins with. */
  readonly parameters: Parameters;
  /** What happens on the wire beside what the story has it do. */
  readonly chance: Chance;
  /** Of everything that is left to chance. */
  readonly seed: number;
}

export const PLAIN: ModelSettings = {
  name: "as Linux has it",
  profile: LINUX,
  connection: {},
  parameters: {},
  chance: NO_CHANCE,
  seed: 1,
};

/** Linux's clock of initial sequence numbers (seq_scale, net/core/secure_seq.c), microseconds. */
const TICK_US = 0.064;

/** A secret that no two seeds share. */
function keyOf(seed: number): Uint8Array {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setFloat64(0, seed);
  return key;
}

/** The settings of one host. */
export function hostSettings(settings: ModelSettings, addresses: readonly string[], mtu: number): HostSettings {
  const { profile, connection, seed } = settings;
  return {
    addresses: addresses.map((address) => ({ address, onLink: address.includes(":") ? 64 : 24, device: "wire" })),
    mtu,
    profile,
    connection,
    numbering: { by: "clock", key: keyOf(seed), tickUs: TICK_US },
  };
}
