/** What the tests of `free` share. */
import { lastack, type Running } from "../support/cli.ts";
import { handOver, sockets } from "../diagnose/situation.ts";

export const NAMESPACE = ["a network namespace"] as const;
export const NOBODY = 65_534;

export const free = (...args: string[]) => lastack(["free", ...args]);
export const runs = ({ child }: Running) => child.exitCode === null && child.signalCode === null;
/** A process that listens on the port. */
export const holder = (port: number, ip = "0.0.0.0") => handOver([sockets.listener(ip, { port })]);
