/** All experiments, in the order of the claims. */
import type { Experiment } from "../experiment.ts";
import { inheritedListener } from "./inherited-listener.ts";
import { lastAckLost } from "./last-ack-lost.ts";

export const CATALOGUE: readonly Experiment[] = [lastAckLost, inheritedListener];
