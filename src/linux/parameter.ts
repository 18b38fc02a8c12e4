/** Kernel parameters (sysctl) of the calling thread's namespace. */
import { readFileSync, writeFileSync } from "node:fs";
import { readText } from "./read.ts";

function parameterPath(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}

/** The value of a kernel parameter (`net.ipv4.tcp_fin_timeout`) in the calling thread's namespace. */
export function readParameter(name: string): string {
  return readFileSync(parameterPath(name), "utf8").trim();
}

/** The numbers of a kernel parameter; `otherwise` where this kernel or this sandbox has none of that name. */
export function numbersOfParameter(name: string, ...otherwise: number[]): number[] {
  return readText(parameterPath(name))?.trim().split(/\s+/).map(Number) ?? otherwise;
}

/** Sets a kernel parameter of the calling thread's namespace. Throws the file system's error. */
export function writeParameter(name: string, value: string | number): void {
  writeFileSync(parameterPath(name), String(value));
}
