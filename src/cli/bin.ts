/**
 * Starts the command line from V8's code cache. Compiling the bundle takes longer than most commands run; V8 can keep
 * the result, but only for its own version, so each Node that runs lastack leaves its cache beside the bundle, where it
 * may write there, and reads it from then on. Nothing is written anywhere else.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/** Put in by the build. The names change with the bundles: V8 itself compares no more than their length. */
declare const LASTACK_MAIN: string;
/** The same with the command `ls`. */
declare const LASTACK_LS: string;
const MAIN = process.argv[2] === "ls" ? LASTACK_LS : LASTACK_MAIN;

/** A main bundle. `shared` are modules that all bundles must have once, by the names by which the others ask for them. */
type Main = typeof import("./main.ts") & { shared: Readonly<Record<string, () => unknown>> };

/** What V8 has compiled of a bundle: what ran, in runs of these kinds, a bit each. */
interface Cache {
  data: Buffer;
  kinds: number;
}
const KINDS_LENGTH = 4;

/**
 * The cache, or undefined if there is none or it is damaged. V8 checks its header only, and crashes or hangs over what
 * follows, so the file holds the cache twice: comparing the halves is the cheapest check that there is.
 */
function readCache(path: string): Cache | undefined {
  try {
    const twice = readFileSync(path);
    const half = twice.subarray(0, twice.length / 2);
    if (!half.equals(twice.subarray(half.length))) return undefined;
    const end = half.length - KINDS_LENGTH;
    return { data: half.subarray(0, end), kinds: half.readUint32LE(end) };
  } catch {
    return undefined;
  }
}

function writeCache(path: string, script: Script, kinds: number): void {
  const unfinished = `${path}.${process.pid}`;
  let file: number;
  try {
    file = openSync(unfinished, "w");
  } catch {
    return; // installed by somebody else: it stays as slow as it was, and no slower by what could not be kept
  }
  try {
    const half = [script.createCachedData(), Buffer.from(Uint32Array.of(kinds).buffer)];
    writeFileSync(file, Buffer.concat([...half, ...half]));
    // Renamed when complete, so that no other start reads half of it.
    renameSync(unfinished, path);
  } catch {
    // The disk is full.
    try {
      rmSync(unfinished, { force: true });
    } catch {}
  } finally {
    closeSync(file);
  }
}

interface Loaded {
  exports: unknown;
  /** Leaves a cache where there was none that V8 takes, or none of a run of this kind: it would compile the same again. */
  keep: (kind: number) => void;
}

const loaded = new Map<string, Loaded>();

/** A file beside this one, from its cache if there is one. */
function load(name: string): Loaded {
  const known = loaded.get(name);
  if (known) return known;
  const path = join(import.meta.dirname, name);
  const cachePath = `${path}.${process.versions.v8}-${process.arch}.cache`;
  const cache = readCache(cachePath);
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, "utf8")}\n})`;
  const script = new Script(source, { filename: path, ...(cache && { cachedData: cache.data }) });
  const module: { exports: unknown } = { exports: {} };
  script.runInThisContext()(module.exports, requireBeside, module, path, import.meta.dirname);
  const keep = (kind: number) => {
    const kinds = script.cachedDataRejected ? 0 : (cache?.kinds ?? 0);
    if ((kinds & kind) === 0) writeCache(cachePath, script, kinds | kind);
  };
  const result = { exports: module.exports, keep };
  loaded.set(name, result);
  return result;
}

function mainBundle(): Main {
  return load(MAIN).exports as Main;
}

function requireBeside(id: string): unknown {
  if (id.startsWith("./")) return load(id.slice(2)).exports;
  return id.endsWith(".ts") ? mainBundle().shared[id]!() : require(id);
}

/** Runs of one command that end in the same way, and write the same form, run nearly the same code. */
function kindOf(args: readonly string[], status: number): number {
  const command = /\d/.test(args[0] ?? "") ? "why" : args[0];
  let hash = 0;
  for (const character of `${command} ${status} ${args.includes("--json")}`) {
    hash = (31 * hash + character.charCodeAt(0)) | 0;
  }
  return 1 << hash; // the last five bits
}

async function start(): Promise<void> {
  const { exit, hasAskedKernel, main } = mainBundle();
  const args = process.argv.slice(2);
  const status = await main(args);
  // What has not run is in no cache, so that one of `--version` would make no other command faster, and stay.
  if (hasAskedKernel()) for (const { keep } of loaded.values()) keep(kindOf(args, status));
  exit(status);
}
void start();
