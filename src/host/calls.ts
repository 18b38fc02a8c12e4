/** Socket calls on a modelled host: made, blocked, and gone on with. */
import { asIpv6 } from "../bind/address.ts";
import type { Call, Endpoint, Result } from "../call/call.ts";
import { inTurn, placeBeside, waitAnew } from "../call/waiting.ts";
import { accept, beginConnect, bind, finishConnect, listen, socket as makeSocket } from "./open.ts";
import { dereference, hasLingered } from "./closing.ts";
import {
  processOf,
  socketToChange,
  type BlockedCall,
  type Host,
  type HostSocket,
  type Process,
  type SocketCall,
} from "./host.ts";
import { getOption, setOption } from "./options.ts";
import { failure, success } from "./result.ts";
import { deliverLocally } from "./transmit.ts";
import { ioctl, poll, read, shutdown, write } from "./stream.ts";
import { waiters, type WaitingCall } from "./waiting.ts";

const FIRST_DESCRIPTOR = 3;

/** What a call has come to. */
export interface Made {
  /** null: it blocks; see `blocked`. */
  result: Result | null;
  /** The number of the blocked call among those of its process. */
  blocked?: number;
  /** The socket that the call is about, or that it has made. */
  socket?: string;
}

/** A call that was blocked and has returned. */
export interface Returned extends Made {
  process: string;
  blocked: number;
  result: Result;
}

/** How far a call has got. */
type Progress = Pick<BlockedCall, "written" | "deadlineUs"> & { begun: boolean };

type Outcome = Made & { progress?: Partial<Progress> };

function change(host: Host, name: string, more: Partial<Process>): void {
  host.processes.set(name, { ...processOf(host, name), ...more });
}

/** Gives the process a descriptor for the socket: the lowest number that is free. */
function addDescriptor(host: Host, { name, descriptors }: Process, socket: HostSocket): number {
  let fd = FIRST_DESCRIPTOR;
  while (descriptors.has(fd)) fd++;
  socketToChange(host, socket.id).references++;
  change(host, name, { descriptors: new Map(descriptors).set(fd, socket.id) });
  return fd;
}

function close(host: Host, nowUs: number, process: Process, fd: number, id: string): Outcome {
  const descriptors = new Map(process.descriptors);
  descriptors.delete(fd);
  change(host, process.name, { descriptors });
  const { references, options } = host.sockets.get(id)!;
  dereference(host, nowUs, id);
  const { lingerS } = options;
  if (references > 1 || lingerS === null || lingerS === 0 || hasLingered(host, id)) {
    return { result: success(), socket: id };
  }
  return { result: null, socket: id, progress: { deadlineUs: nowUs + lingerS * 1_000_000 } };
}

/**
 * Every descriptor is closed, and nothing is left to return to. The last comes first: files are closed by what the process
 * has still to do (task_work_run, kernel/task_work.c), of which the latest is done first.
 */
export function endProcess(host: Host, nowUs: number, name: string): void {
  const { descriptors } = processOf(host, name);
  host.processes.delete(name);
  for (const [, id] of [...descriptors].sort(([a], [b]) => b - a)) dereference(host, nowUs, id);
  deliverLocally(host, nowUs);
}

function fork(host: Host, { descriptors, uid }: Process, child: string): Outcome {
  if (host.processes.has(child)) throw new TypeError(`there is a process ${child} already`);
  host.processes.set(child, { name: child, uid, descriptors, blocked: [] });
  for (const id of descriptors.values()) socketToChange(host, id).references++;
  return { result: success(1) };
}

function setUid(host: Host, { name, uid: own }: Process, uid: number): Outcome {
  if (own !== 0 && own !== uid) return { result: failure("EPERM") };
  change(host, name, { uid });
  return { result: success() };
}

function connect(host: Host, nowUs: number, id: string, call: Call & { name: "connect" }, begun: boolean): Outcome {
  const refused = begun ? null : beginConnect(host, nowUs, id, call);
  return { result: refused ?? finishConnect(host, id), socket: id };
}

function acceptCall(host: Host, process: Process, listener: HostSocket): Outcome {
  const accepted = accept(host, process, listener);
  if (accepted === null || "ok" in accepted) return { result: accepted, socket: listener.id };
  const endpoint = accepted.connection!.state === "CLOSED" ? { address: "", port: 0 } : accepted.peer;
  return { result: success(addDescriptor(host, process, accepted), { endpoint }), socket: accepted.id };
}

function writeCall(host: Host, socket: HostSocket, call: Call & { name: "write" }, written: number): Outcome {
  const done = write(host, socket, call, written);
  if ("result" in done) return { result: done.result, socket: socket.id };
  return { result: null, socket: socket.id, progress: { written: done.written } };
}

/** inet_getname: a connection that is over still has the port that it had, and so has what failed to be one. */
function ownEnd({ ports }: Host, { id, family, connection, local }: HostSocket): Endpoint {
  const { address, port } = ports.sockets.get(id)!;
  if (port !== 0) return { address, port };
  if (connection === null) return { address, port: local.port };
  return { address: family === "IPv6" ? asIpv6(local.address) : local.address, port: local.port };
}

function onSocket(host: Host, nowUs: number, process: Process, id: string, call: SocketCall, got: Progress): Outcome {
  switch (call.name) {
    case "bind":
      return { result: bind(host, process, id, call), socket: id };
    case "listen":
      return { result: listen(host, process, host.sockets.get(id)!, call.backlog), socket: id };
    case "accept":
      return acceptCall(host, process, host.sockets.get(id)!);
    case "connect":
      return connect(host, nowUs, id, call, got.begun);
    case "read":
      return { result: read(host, socketToChange(host, id), call.length), socket: id };
    case "write":
      return writeCall(host, socketToChange(host, id), call, got.written);
    case "shutdown":
      return { result: shutdown(host, nowUs, socketToChange(host, id), call.how), socket: id };
    case "close":
      return close(host, nowUs, process, call.fd, id);
    case "getsockname":
      return { result: success(0, { endpoint: ownEnd(host, host.sockets.get(id)!) }), socket: id };
    case "ioctl":
      return { result: ioctl(host, host.sockets.get(id)!, call.request), socket: id };
    case "poll":
      return { result: poll(host, host.sockets.get(id)!), socket: id };
    case "setsockopt":
      return { result: setOption(host, process, id, call.option, call.value), socket: id };
    case "getsockopt":
      return { result: getOption(host, id, call.option), socket: id };
  }
}

function perform(host: Host, nowUs: number, name: string, call: Call, progress: Progress): Outcome {
  const process = processOf(host, name);
  switch (call.name) {
    case "socket": {
      const made = makeSocket(host, process, call.family);
      return { result: success(addDescriptor(host, process, made)), socket: made.id };
    }
    case "fork":
      return fork(host, process, call.child);
    case "setuid":
      return setUid(host, process, call.uid);
    case "exit":
      endProcess(host, nowUs, name);
      return { result: success() };
    default: {
      const id = process.descriptors.get(call.fd);
      if (id === undefined) return { result: failure("EBADF") };
      return onSocket(host, nowUs, process, id, call, progress);
    }
  }
}

const NEW: Progress = { written: 0, deadlineUs: null, begun: false };

/** Makes a call for the process. It returns at once, or is blocked until {@link resumeCalls} tells of its result. */
export function makeCall(host: Host, nowUs: number, name: string, call: Call): Made {
  const { result, socket, progress } = perform(host, nowUs, name, call, NEW);
  deliverLocally(host, nowUs);
  const about = socket !== undefined && { socket };
  if (result !== null) return { result, ...about };
  const { blocked } = processOf(host, name);
  let id = 0;
  while (blocked.some((other) => other.id === id)) id++;
  const place = placeBeside(
    call,
    waiters(host).filter((other) => other.socket === socket),
  );
  const waiting = { id, call: call as SocketCall, socket: socket!, place, written: 0, deadlineUs: null, ...progress };
  if (host.sockets.get(socket!)?.loopback) {
    const again = resume(host, nowUs, name, waiting);
    if (again.result !== null) return { result: again.result, ...about };
    Object.assign(waiting, again.progress);
  }
  change(host, name, { blocked: [...blocked, waiting] });
  return { result: null, blocked: id, ...about };
}

/** Goes on with a call on the socket that it was about when it was made, whatever has become of the descriptor since. */
function resume(host: Host, nowUs: number, name: string, { call, socket, written, deadlineUs }: BlockedCall): Outcome {
  if (call.name === "close") {
    const isDone = hasLingered(host, socket) || (deadlineUs !== null && deadlineUs <= nowUs);
    return { result: isDone ? success() : null, socket };
  }
  if (!host.sockets.has(socket)) return { result: failure("EBADF"), socket };
  // Somebody's connect has failed, and with it the connection is gone that this call waits for (sk_disconnects).
  const isLeft = call.name !== "accept" && host.sockets.get(socket)!.connection === null;
  if (isLeft) return { result: failure("EPIPE"), socket };
  return onSocket(host, nowUs, processOf(host, name), socket, call, { written, deadlineUs, begun: true });
}

/** A call that waits has become this one, or has returned. */
function replace(host: Host, { process, id }: WaitingCall, more?: Partial<BlockedCall>): void {
  const { blocked } = processOf(host, process);
  const next = more
    ? blocked.map((other) => (other.id === id ? { ...other, ...more } : other))
    : blocked.filter((other) => other.id !== id);
  change(host, process, { blocked: next });
}

/** Goes on with those that wait on one socket, as they are woken. */
function wake(host: Host, nowUs: number, group: readonly WaitingCall[]): Returned[] {
  const returned: Returned[] = [];
  const left: WaitingCall[] = [];
  for (const waiting of group) {
    const { process, id } = waiting;
    const { result, progress, socket } = resume(host, nowUs, process, waiting);
    deliverLocally(host, nowUs);
    if (result !== null) {
      returned.push({ process, blocked: id, result, ...(socket !== undefined && { socket }) });
      replace(host, waiting);
      continue;
    }
    left.push(waiting);
    if (progress?.written !== undefined && progress.written !== waiting.written) {
      replace(host, waiting, { written: progress.written });
    }
  }
  if (returned.length > 0 && left.length > 1) {
    for (const waiting of waitAnew(left)) replace(host, waiting, { place: waiting.place });
  }
  return returned;
}

/** Lets blocked calls go on that can. Those that have returned, in the order of processes, calls, and waiters on a socket. */
export function resumeCalls(host: Host, nowUs: number): Returned[] {
  return inTurn(waiters(host)).flatMap((group) => wake(host, nowUs, group));
}
