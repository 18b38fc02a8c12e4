/** Network interfaces of the calling thread's network namespace, by name and by index (netdevice(7)). */
import { readFileSync } from "node:fs";
import type { Zone } from "../codec/address.ts";
import { AF_INET, ioctl, SIOCGIFINDEX, SIOCGIFNAME, SOCK_DGRAM, socket, tryIoctl } from "../sys/index.ts";
import { IFREQ_UNION, interfaceRequest, MAX_NAME } from "./interface-request.ts";

function indexIn(request: Uint8Array<ArrayBuffer>): number {
  return new DataView(request.buffer).getInt32(IFREQ_UNION, true);
}

function nameOf(index: number): string | undefined {
  const request = interfaceRequest("");
  new DataView(request.buffer).setInt32(IFREQ_UNION, index, true);
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (tryIoctl(fd, SIOCGIFNAME, request) < 0) return undefined; // ENODEV
  return Buffer.from(request.subarray(0, request.indexOf(0))).toString("latin1");
}

/** The device's name, or `ifN` where there is none of that index. */
export function interfaceName(index: number): string {
  return nameOf(index) ?? `if${index}`;
}

/** The index of the interface of this name. */
export function interfaceIndex(name: string): number {
  const request = interfaceRequest(name);
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  ioctl(fd, SIOCGIFINDEX, request);
  return indexIn(request);
}

/** The interface that people mean by this, its name or its index; undefined if there is none. */
export function findInterface(text: string): Zone | undefined {
  if (text === "" || text.length > MAX_NAME) return undefined;
  const request = interfaceRequest(text);
  {
    using fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (tryIoctl(fd, SIOCGIFINDEX, request) >= 0) return { index: indexIn(request), name: text };
  }
  const index = /^\d+$/.test(text) ? Number(text) : 0;
  const name = index > 0 && index < 2 ** 31 ? nameOf(index) : undefined;
  return name === undefined ? undefined : { index, name };
}

/** The names of all. */
export function interfaceNames(): string[] {
  // thread-self: the thread may have entered another namespace than its process's first. Two lines are the heading.
  const lines = readFileSync("/proc/thread-self/net/dev", "latin1").trim().split("\n").slice(2);
  return lines.map((line) => line.slice(0, line.lastIndexOf(":")).trim());
}
