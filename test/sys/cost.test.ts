import { createRequire } from "node:module";
import { expect, test } from "vitest";
import * as sys from "../../src/sys/index.ts";

/** The least of several measurements of `runs` calls, nanoseconds a call: what it costs when nothing disturbs. */
function cost(call: () => void, runs = 20_000): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 15; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < runs; i++) call();
    least = Math.min(least, Number(process.hrtime.bigint() - start) / runs);
  }
  return least;
}

test("a wrapper costs little more than the raw call", () => {
  interface Library {
    func(signature: string): (...values: unknown[]) => number;
  }
  const koffi = createRequire(import.meta.url)("koffi") as { load(path: null): Library };
  const raw = koffi.load(null).func("int fcntl(int, int, long)");
  using fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
  const { number } = fd;
  const rawCost = cost(() => void raw(number, sys.F_GETFD, 0));
  const wrapped = cost(() => void sys.fcntl(fd, sys.F_GETFD));
  expect(wrapped, `raw ${rawCost.toFixed(0)} ns, wrapped ${wrapped.toFixed(0)} ns`).toBeLessThan(1.5 * rawCost + 50);
});
