import { readFileSync } from "node:fs";
import { UsageError } from "./exit-status.ts";
import { FileError } from "./file-error.ts";

/** How a file that an argument named is called in messages. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** The text of a file that an argument named, `-` being standard input. `writtenBy` says which command makes such files. */
export function readInput(file: string, writtenBy: string): string {
  if (file === "") throw new UsageError("the file has no name");
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new FileError(`${inputName(file)} can't be read`, error, writtenBy);
  }
}
