/** The entry of dist/lab-process.cjs: `node lab-process.cjs [NUMBER=KERNEL'S NUMBER...]`, or `--guard INODE...`. */
import { runChild } from "./child.ts";
import { GUARD, runGuard } from "./guard.ts";

const [first, ...rest] = process.argv.slice(2);
if (first === GUARD) runGuard(rest.map(Number));
else runChild(new Map(process.argv.slice(2).map((pair) => pair.split("=").map(Number) as [number, number])));
