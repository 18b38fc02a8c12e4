/**
 * Starts the command line from V8's code cache. Compiling the bundle takes longer than most commands run; V8 can keep
 * the result, but only for its own version, so each Node that runs lastack leaves its cache beside the bundle, where it
 * may write there, and reads it from then on. Nothing is written anywhere else.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/** Put in by the build. The name changes with the bundle: V8 itself compares no more than its length. */
declare const LASTACK_BUNDLE: string;

/** The main bundle. `shared` are modules that all bundles must have once, by the names by which the others ask for them. */
type Main = typeof import("./main.ts") & { shared: Readonly<Record<string, () => unknown>> };

/**
 * The cache, or undefined if there is none or it is damaged. V8 checks its header only, and crashes or hangs over what
 * follows, so the file holds the cache twice: comparing the halves is the cheapest check that there is.
 */
function readCache(path: string): Buffer | undefined {
  try {
    const twice = readFileSync(path);
    const half = twice.length / 2;
    const cache = twice.subarray(0, half);
    return cache.equals(twice.subarray(half)) ? cache : undefined;
  } catch {
    return undefined;
  }
}

function writeCache(path: string, script: Script): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    // Renamed when complete, so that no other start reads half of it.
    const cache = script.createCachedData();
    writeFileSync(unfinished, Buffer.concat([cache, cache]));
    renameSync(unfinished, path);
  } catch {
    // Installed by somebody else, or the disk is full: it stays as slow as it was.
    try {
      rmSync(unfinished, { force: true });
    } catch {}
  }
}

interface Loaded {
  exports: unknown;
  /** Leaves a cache where there was none that V8 takes. */
  keep: () => void;
}

const loaded = new Map<string, Loaded>();

/** A file beside this one, from its cache if there is one. */
function load(name: string): Loaded {
  const known = loaded.get(name);
  if (known) return known;
  const path = join(import.meta.dirname, name);
  const cachePath = `${path}.${process.versions.v8}-${process.arch}.cache`;
  const cachedData = readCache(cachePath);
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, "utf8")}\n})`;
  const script = new Script(source, { filename: path, ...(cachedData && { cachedData }) });
  const module: { exports: unknown } = { exports: {} };
  script.runInThisContext()(module.exports, requireBeside, module, path, import.meta.dirname);
  const keep = () => {
    if (!cachedData || script.cachedDataRejected) writeCache(cachePath, script);
  };
  const result = { exports: module.exports, keep };
  loaded.set(name, result);
  return result;
}

function mainBundle(): Main {
  return load(LASTACK_BUNDLE).exports as Main;
}

function requireBeside(id: string): unknown {
  if (id.startsWith("./")) return load(id.slice(2)).exports;
  return id.endsWith(".ts") ? mainBundle().shared[id]!() : require(id);
}

async function start(): Promise<void> {
  const { exit, hasAskedKernel, main } = mainBundle();
  const status = await main(process.argv.slice(2));
  // What has not run is in no cache, so that one of `--version` would make no other command faster, and stay.
  if (hasAskedKernel()) for (const { keep } of loaded.values()) keep();
  exit(status);
}
void start();
