/** What /proc and /sys say, in as few calls as it takes: readFileSync makes more, and twice as much around them. */
import { Fd, O_RDONLY, cString, tryOpenat, tryRead, tryReadlinkat } from "../sys/index.ts";

const piece = Buffer.allocUnsafeSlow(4096);

/** A file as text; undefined where there is none, or it may not be read. */
export function readText(path: string, encoding: "utf8" | "latin1" = "latin1"): string | undefined {
  const number = tryOpenat(undefined, cString(path), O_RDONLY);
  if (number < 0) return undefined;
  using file = new Fd(number);
  const pieces: Buffer[] = [];
  for (;;) {
    const length = tryRead(file, piece);
    if (length < 0) return undefined;
    if (length === 0) return Buffer.concat(pieces).toString(encoding);
    pieces.push(Buffer.from(piece.subarray(0, length)));
  }
}

/** Where a symbolic link leads; undefined where there is none, or it may not be read. */
export function readLink(path: string): string | undefined {
  const length = tryReadlinkat(undefined, cString(path), piece);
  return length < 0 ? undefined : piece.toString("utf8", 0, length);
}
