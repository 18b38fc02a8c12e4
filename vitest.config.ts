import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Namespaces belong to threads, and tests enter them: each file has a process, whose main thread runs it.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ["test/support/setup.ts"],
    reporters: ["default", "./test/support/reporter.ts"],
  },
});
