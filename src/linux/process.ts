/** What /proc tells of a process. */
import { basename } from "node:path";
import type { ParentProcess } from "../diagnose/facts.ts";
import { readLink, readText } from "./read.ts";
import { userName } from "./users.ts";

export interface ProcessFacts {
  pid: number;
  /** The file that runs, by its last name; the kernel's short name where that may not be read. */
  program: string;
  /** The kernel's name for it, at most 15 bytes; programs may change it. */
  comm: string;
  /** The command line; null where it may not be read, empty for kernel threads and zombies. */
  arguments: string[] | null;
  uid: number;
  user: string;
  /** R, S, D, T (stopped), Z (zombie), …: proc(5). */
  state: string;
  startedAtMs: number;
  /** null where it may not be read. */
  workingDirectory: string | null;
  /** Path in the cgroup hierarchy. */
  cgroup: string | null;
  /** The innermost systemd unit (`nginx.service`, `session-2.scope`). */
  unit: string | null;
  /** The 64-digit id of the container that it runs in. */
  containerId: string | null;
  /** Parent, grandparent and so on, up to and without pid 1's parent. */
  parents: ParentProcess[];
  /** The process group: the pid of the process that it began with, which may have ended. */
  group: number;
  session: number;
}

const USER_HZ = 100;

function readProc(pid: number, file: string): string | null {
  return readText(`/proc/${pid}/${file}`, "utf8") ?? null;
}

function readProcLink(pid: number, file: string): string | null {
  return readLink(`/proc/${pid}/${file}`) ?? null;
}

interface Stat {
  comm: string;
  state: string;
  parent: number;
  group: number;
  session: number;
  /** The device number of its controlling terminal; 0 for none. */
  terminal: number;
  startTicks: number;
}

/** /proc/PID/stat (proc(5)). The name may hold anything, brackets and line ends too: it ends at the last bracket. */
function readStat(pid: number): Stat | undefined {
  const text = readProc(pid, "stat");
  if (text === null) return undefined;
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  return {
    comm: text.slice(text.indexOf("(") + 1, close),
    state: fields[0]!,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    terminal: Number(fields[4]),
    startTicks: Number(fields[19]),
  };
}

/**
 * The name under which people know the program of a process: of its file, since names of threads may be anything
 * (`MainThread`), else the kernel's short one. undefined if the process has ended.
 */
export function programName(pid: number): string | undefined {
  const file = readProcLink(pid, "exe");
  if (file !== null && file !== "") return basename(file.replace(/ \(deleted\)$/, ""));
  return readProc(pid, "comm")?.replace(/\n$/, "");
}

/** The kernel's short name of a process. */
export function commName(pid: number): string | undefined {
  return readProc(pid, "comm")?.replace(/\n$/, "");
}

/** `0::/system.slice/nginx.service` and the like (cgroups(7)): the version 2 line, else the first of version 1. */
function cgroupPath(text: string): string | null {
  const paths = text.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const unified = paths.find((match) => match?.[1] === "0" && match[3] !== "/");
  return (unified ?? paths.find((match) => match && match[3] !== "/") ?? paths[0])?.[3] ?? null;
}

export function unitOf(cgroup: string): string | null {
  const units = cgroup.split("/").filter((part) => /\.(service|scope|socket)$/.test(part));
  return units.at(-1) ?? null;
}

export function containerIdOf(cgroup: string): string | null {
  // A container's monitor (conmon) bears its id too, but runs outside.
  return /(?:^|[/:-])(?<!-conmon-)([0-9a-f]{64})(?:\.scope)?(?:\/|$)/.exec(cgroup)?.[1] ?? null;
}

let bootTimeMs: number | undefined;
function startTime(ticks: number): number {
  bootTimeMs ??= Number(/^btime (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1] ?? 0) * 1000;
  return bootTimeMs + (ticks * 1000) / USER_HZ;
}

const INTERPRETERS = /^(node|bun|deno|python[\d.]*|ruby|perl|(ba|da|z)?sh)$/;
/** Options whose value is the next argument. */
const WITH_VALUE: ReadonlySet<string> = new Set(["-r", "--require", "--import", "--loader", "-C", "--conditions"]);
/** Options whose value is the program itself. */
const PROGRAM_TEXT: ReadonlySet<string> = new Set(["-c", "-e", "-p", "--eval", "--print"]);

/** What an interpreter runs: the first of its arguments that is no option, nor an option's value. */
function scriptOf(pid: number, program: string): string | undefined {
  if (!INTERPRETERS.test(program)) return undefined;
  const [first = "", ...words] = readProc(pid, "cmdline")?.split("\0") ?? [];
  if (/^PM2 /i.test(first)) return "pm2"; // it writes over its command line
  const at = words.findIndex(
    (word, i) =>
      PROGRAM_TEXT.has(word) || (word !== "" && !word.startsWith("-") && !WITH_VALUE.has(words[i - 1] ?? "")),
  );
  const script = PROGRAM_TEXT.has(words[at] ?? "") ? undefined : words[at];
  return script === undefined ? undefined : basename(script).replace(/\.[cm]?[jt]s$|\.py$|\.rb$/, "");
}

const MOST_PARENTS = 64;

/** Parents up to pid 1; a process whose parent is out of sight (another pid namespace) has none. */
function parentChain(first: number): { pid: number; stat: Stat }[] {
  const parents: { pid: number; stat: Stat }[] = [];
  for (let pid = first; pid > 0 && parents.length < MOST_PARENTS;) {
    const stat = readStat(pid);
    if (!stat) break;
    parents.push({ pid, stat });
    pid = stat.parent;
  }
  return parents;
}

function parentProcess({ pid, stat }: { pid: number; stat: Stat }): ParentProcess {
  const program = programName(pid) ?? stat.comm;
  const script = scriptOf(pid, program);
  return { pid, program, ...(script !== undefined && { script }) };
}

/** The pids of the processes that started this one, nearest first. */
export function ancestors(pid: number): number[] {
  return parentChain(readStat(pid)?.parent ?? 0).map((parent) => parent.pid);
}

/**
 * The process that began this one's group, where it has ended and left this one to another parent: so it is with a child
 * that outlived the program which a shell had started. undefined for a daemon, which has left its group's first process
 * on purpose and made a session of it, and for the rest of a pipeline, whose parent is the shell of its terminal still.
 * (Without a terminal a parent of the same session is no such shell: it may be a container's first process.)
 */
export function endedLeader({
  pid,
  group,
  session,
}: Pick<ProcessFacts, "pid" | "group" | "session">): number | undefined {
  if (group === pid || group === session || readStat(group)) return undefined;
  const parent = readStat(readStat(pid)?.parent ?? 0);
  if (parent?.group === group) return undefined; // it was not this one that was left
  return parent?.session === session && parent.terminal !== 0 ? undefined : group;
}

/** All facts of a process, or undefined if it has ended. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const stat = readStat(pid);
  const uid = /^Uid:\t(\d+)/m.exec(readProc(pid, "status") ?? "")?.[1];
  if (!stat || uid === undefined) return undefined;
  const commandLine = readProc(pid, "cmdline");
  const cgroup = cgroupPath(readProc(pid, "cgroup") ?? "");
  return {
    pid,
    program: programName(pid) ?? stat.comm,
    comm: stat.comm,
    arguments:
      commandLine === null
        ? null
        : commandLine
            .replace(/\0$/, "")
            .split("\0")
            .filter((_, i, all) => all.length > 1 || all[i] !== ""),
    uid: Number(uid),
    user: userName(Number(uid)),
    state: stat.state,
    startedAtMs: startTime(stat.startTicks),
    workingDirectory: readProcLink(pid, "cwd"),
    cgroup,
    unit: cgroup === null ? null : unitOf(cgroup),
    containerId: cgroup === null ? null : containerIdOf(cgroup),
    parents: parentChain(stat.parent).map(parentProcess),
    group: stat.group,
    session: stat.session,
  };
}
