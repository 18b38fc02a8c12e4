/**
 * The commands that the build puts into a file of their own: they are most of lastack by size, and no other command is to
 * wait for them to be read.
 */
export * as lab from "./lab.ts";
export * as predict from "./predict.ts";
export * as prove from "./prove.ts";
export * as view from "./view.ts";
