/** The entry of dist/lab-process.cjs: `node lab-process.cjs [NUMBER=KERNEL'S NUMBER...]`. */
import { runChild } from "./child.ts";

runChild(new Map(process.argv.slice(2).map((pair) => pair.split("=").map(Number) as [number, number])));
