/** The tutorial's programs and the story by hand, which the build puts into a file of their own: see experiments.ts. */
export * as client from "./client.ts";
export * as demo from "./demo.ts";
export * as server from "./server.ts";
