/**
 * Options as GNU and POSIX have them. (`node:util` has parseArgs, which means the same by them, but takes a millisecond to
 * load: a fifth of what `lastack ls` takes beyond the start of Node.)
 */
import { UsageError } from "./exit-status.ts";

interface Option {
  type: "boolean" | "string";
  short?: string;
  /** It may be given several times, and all its values count. */
  multiple?: true;
}
type Options = Readonly<Record<string, Option>>;

/** The last value of each option that was given; all of those of one that may be given several times. */
type Values<T extends Options> = {
  [name in keyof T]?: T[name] extends { multiple: true }
    ? string[]
    : T[name]["type"] extends "boolean"
      ? boolean
      : string;
};

interface Line<T extends Options> {
  args: readonly string[];
  options: T;
  allowPositionals?: boolean;
}

/** Throws `UsageError` for an option that there is not, a value that is missing, and one that is too many. */
export function parseOptions<const T extends Options>({ args, options, allowPositionals = false }: Line<T>) {
  const shorts = Object.entries(options).filter(([, { short }]) => short !== undefined);
  const values: Record<string, boolean | string | string[]> = {};
  const put = (name: string, value: boolean | string) => {
    const before = values[name];
    const isOne = typeof value === "boolean" || options[name]!.multiple !== true;
    values[name] = isOne ? value : Array.isArray(before) ? [...before, value] : [value];
  };
  const positionals: string[] = [];
  const rest = [...args];
  for (let word: string | undefined; (word = rest.shift()) !== undefined;) {
    if (word === "--") {
      positionals.push(...rest.splice(0));
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const given = equals < 0 ? word : word.slice(0, equals);
      const name = given.slice(2);
      const option = Object.hasOwn(options, name) ? options[name] : undefined;
      if (!option) throw new UsageError(`there is no option ${given}`);
      if (option.type === "boolean" && equals >= 0) throw new UsageError(`${given} takes no value`);
      put(name, option.type === "boolean" || (equals < 0 ? valueOf(given, rest) : word.slice(equals + 1)));
    } else if (word.startsWith("-") && word !== "-") {
      for (let i = 1; i < word.length; i++) {
        const [given, behind] = [`-${word[i]}`, word.slice(i + 1)];
        const name = shorts.find(([, { short }]) => short === word[i])?.[0];
        if (name === undefined) throw new UsageError(`there is no option ${given}`);
        const isFlag = options[name]!.type === "boolean";
        put(name, isFlag || behind || valueOf(given, rest));
        if (!isFlag) break;
      }
    } else positionals.push(word);
  }
  if (!allowPositionals && positionals.length > 0)
    throw new UsageError(`'${positionals[0]}': nothing is expected there`);
  return { values: values as Values<T>, positionals };
}

/** The word behind an option: not another option by mistake. */
function valueOf(given: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw new UsageError(`${given} needs a value`);
  if (value.startsWith("-") && value !== "-") {
    const joined = given.startsWith("--") ? `${given}=${value}` : `${given}${value}`;
    throw new UsageError(`${given} needs a value; if that is '${value}', write ${joined}`);
  }
  return value;
}
