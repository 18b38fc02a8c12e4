import type { Reporter, TestModule } from "vitest/node";
import { NEEDS, type NeedName } from "./needs.ts";

/** Closes the run: what was not run and why, the packages that would let it, and the count. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    const skipped: { name: string; note: string }[] = [];
    for (const module of modules) {
      // A file that does not load has no tests, but has failed.
      if (module.state() === "failed" && [...module.children.allTests()].length === 0) count.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        count[result.state]++;
        if (result.state === "skipped") skipped.push({ name: test.fullName, note: result.note ?? "" });
      }
    }
    const lines = skipped.map(({ name, note }) => `  ${name}: ${note}`);
    if (lines.length > 0) process.stdout.write(`\nNot run:\n${lines.join("\n")}\n`);
    const packages = new Set(
      (Object.keys(NEEDS) as NeedName[])
        .filter((need) => skipped.some(({ note }) => note.includes(need)))
        .flatMap((need) => ("packages" in NEEDS[need] ? NEEDS[need].packages : [])),
    );
    if (packages.size > 0) process.stdout.write(`To run more of them: apt-get install -y ${[...packages].join(" ")}\n`);
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
