/** Network namespaces for experiments that must not touch the host. */
import { spawnSync } from "node:child_process";
import {
  AF_INET,
  CLONE_NEWNET,
  IFF_UP,
  ioctl,
  SIOCGIFFLAGS,
  SIOCSIFFLAGS,
  SOCK_DGRAM,
  socket,
  SyscallError,
  unshare,
} from "../sys/index.ts";
import { IFREQ_UNION, interfaceRequest } from "./interface-request.ts";

/** Brings an interface of the calling thread's namespace up. */
export function bringUp(name: string): void {
  const request = interfaceRequest(name);
  const view = new DataView(request.buffer);
  using fd = socket(AF_INET, SOCK_DGRAM, 0);
  ioctl(fd, SIOCGIFFLAGS, request);
  view.setInt16(IFREQ_UNION, view.getInt16(IFREQ_UNION, true) | IFF_UP, true);
  ioctl(fd, SIOCSIFFLAGS, request);
}

/** ENOSPC: as many as user.max_net_namespaces allows are there already. */
const REFUSALS = new Set(["EPERM", "ENOSYS", "ENOSPC", "EUSERS"]);

/**
 * Moves the calling thread into a new network namespace with loopback up; processes that it starts from then on live
 * there. False where that is not permitted (EPERM: it takes CAP_SYS_ADMIN, which {@link userNamespaceCommand} gives).
 */
export function enterNewNetworkNamespace(): boolean {
  try {
    unshare(CLONE_NEWNET);
  } catch (error) {
    if (error instanceof SyscallError && REFUSALS.has(error.code)) return false;
    throw error;
  }
  bringUp("lo");
  return true;
}

/**
 * The command that runs another as root of a user namespace of its own, which may make network namespaces; or undefined
 * where this system grants none to this user. With more users than root in it where newuidmap and /etc/subuid grant them. (unshare(2) itself can't do it
 * from within Node: a process with threads gets EINVAL.)
 */
export function userNamespaceCommand(): readonly string[] | undefined {
  const plain = ["unshare", "--user", "--map-root-user"];
  const works = ([program, ...rest]: readonly string[]) =>
    spawnSync(program!, [...rest, "--net", "true"], { stdio: "ignore" }).status === 0;
  return [[...plain, "--map-auto"], plain].find(works);
}
