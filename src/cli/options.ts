import type { parseArgs, ParseArgsConfig } from "node:util";

/** parseArgs of node:util, which takes a millisecond to load: a line without options is not made to wait for it. */
export function parseOptions<T extends ParseArgsConfig & { args: string[] }>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  if (!config.args.some((argument) => argument.startsWith("-"))) {
    return { values: {}, positionals: config.args } as unknown as ReturnType<typeof parseArgs<T>>;
  }
  return process.getBuiltinModule("node:util").parseArgs(config);
}
