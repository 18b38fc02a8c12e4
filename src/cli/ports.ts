/** The commands about a port, which the build puts into a file of their own: see experiments.ts. */
export * as free from "./free.ts";
export * as reuse from "./reuse.ts";
export * as wait from "./wait.ts";
