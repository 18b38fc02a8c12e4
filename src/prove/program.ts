/** Programs as lists of calls with a counter, and what a call has to return if all is well. */
import type { Call, Result } from "../call/call.ts";
import type { Errno } from "../call/errno.ts";

/** One call of a program. Descriptors are what they come to be: the lowest free one, from 3. */
export interface ProgramStep {
  call: Call;
  /** The next call follows at once: nobody could tell what might come in between. */
  goesOn?: true;
  /** Of an accept: which incarnation of the connection it waits for. */
  accepts?: number;
  /** Of a read: the bytes that come, in one read or several, until the end of the stream. */
  reads?: string;
  /** The call is made again, some time, if it fails so: the port is not free yet, say. */
  again?: readonly Errno[];
  /** What comes of it is of no concern: an error is not one to the program, and data are not looked at. */
  careless?: true;
}

export interface Program {
  name: string;
  steps: readonly ProgramStep[];
}

/** Where a program stands. */
export interface Position {
  /** The next step, or the one that is being made. */
  step: number;
  /** How many of the bytes to be read have been. */
  read: number;
}

export const BEGINNING: Position = { step: 0, read: 0 };

/** Where a program goes on that has accepted another incarnation than it waited for, because nothing came of that one. */
export function afterAccept({ steps }: Program, incarnation: number): Position {
  return { step: steps.findIndex(({ accepts }) => accepts === incarnation) + 1, read: 0 };
}

/**
 * What can be wrong: a program gets an error although nobody aborted; it reads what was not sent in this incarnation of the
 * connection; its stream ends before all that was accepted has come.
 */
export type Fault = "error" | "foreign" | "missing";

export interface Wrong {
  fault: Fault;
  because: string;
}

/** Where the program goes on, or what is wrong. */
export type Advance = { position: Position } | { wrong: Wrong };

const nextTo = (step: number): Advance => ({ position: { step: step + 1, read: 0 } });

function wrong(fault: Fault, because: string): Advance {
  return { wrong: { fault, because } };
}

/** What the result of its call means to the program. Faults that are not `asked` after are as nothing: it goes on. */
export function advance(program: Program, position: Position, result: Result, asked: readonly Fault[]): Advance {
  const { step, read } = position;
  const { again, careless } = program.steps[step]!;
  if (!result.ok && again?.includes(result.code)) return { position: { step, read } };
  const advanced = judge(program, position, result);
  if (!("wrong" in advanced) || (!careless && asked.includes(advanced.wrong.fault))) return advanced;
  return advanced.wrong.fault === "foreign" ? { position: { step, read } } : nextTo(step);
}

function judge({ name, steps }: Program, position: Position, result: Result): Advance {
  const { step } = position;
  const { call } = steps[step]!;
  if (!result.ok) return wrong("error", `the ${name}'s ${call.name} failed with ${result.code}`);
  if (call.name === "getsockopt" && call.option === "SO_ERROR" && result.value !== 0) {
    return wrong("error", `the ${name}, which closed cleanly, has got error ${result.value} (SO_ERROR)`);
  }
  return call.name === "read" ? judgeRead(name, steps[step]!, position, result) : nextTo(step);
}

function judgeRead(
  name: string,
  { reads = "" }: ProgramStep,
  { step, read }: Position,
  { bytes = new Uint8Array() }: Result & { ok: true },
): Advance {
  const got = String.fromCharCode(...bytes);
  const expected = reads.slice(read, read + got.length);
  if (got === "") {
    const left = reads.slice(read);
    if (left === "") return nextTo(step);
    return wrong("missing", `the ${name}'s stream has ended, and "${left}" has not come, which was accepted`);
  }
  if (got === expected) return { position: { step, read: read + got.length } };
  const instead = expected === "" ? "after the end of what was sent" : `instead of "${expected}"`;
  return wrong("foreign", `the ${name} has read "${got}" ${instead}: that is of another incarnation`);
}
