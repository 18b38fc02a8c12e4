import { createRequire } from "node:module";
import { expect, test } from "vitest";
import * as sys from "../../src/sys/index.ts";

/** What one call costs, nanoseconds. */
function cost(call: () => void): number {
  const runs = 20_000;
  const start = process.hrtime.bigint();
  for (let i = 0; i < runs; i++) call();
  return Number(process.hrtime.bigint() - start) / runs;
}

test("a wrapper costs little more than the raw call", () => {
  interface Library {
    func(signature: string): (...values: unknown[]) => number;
  }
  const koffi = createRequire(import.meta.url)("koffi") as { load(path: null): Library };
  const raw = koffi.load(null).func("int fcntl(int, int, long)");
  using fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
  const { number } = fd;
  // In turn, and the least of each: what they cost when nothing disturbs, and once V8 has compiled them well, which it
  // does on the side, later where the machine is busy.
  let rawCost = Number.POSITIVE_INFINITY;
  let wrapped = Number.POSITIVE_INFINITY;
  const limit = () => 1.5 * rawCost + 50;
  const deadline = performance.now() + 10_000;
  for (let round = 0; round < 10 || (wrapped >= limit() && performance.now() < deadline); round++) {
    rawCost = Math.min(
      rawCost,
      cost(() => void raw(number, sys.F_GETFD, 0)),
    );
    wrapped = Math.min(
      wrapped,
      cost(() => void sys.fcntl(fd, sys.F_GETFD)),
    );
  }
  expect(wrapped, `raw ${rawCost.toFixed(0)} ns, wrapped ${wrapped.toFixed(0)} ns`).toBeLessThan(limit());
}, 20_000);
