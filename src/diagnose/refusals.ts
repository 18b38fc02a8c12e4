/** What refuses a bind without a socket that one could point at; and a port where nothing is in the way. */
import { formatEndpoint, formatZoned } from "../codec/address.ts";
import type { BindAnswer } from "./would-bind.ts";
import type { BindRequest, Facts } from "./facts.ts";
import type { Cause, Finding, Remedy } from "./finding.ts";
import { wait } from "./remedies.ts";
import { listText, localText } from "./words.ts";

function finding(cause: Cause, headline: string, detail: readonly string[], remedies: readonly Remedy[]): Finding {
  return { cause, blocks: cause !== "free" && cause !== "other-namespace", headline, detail, sockets: [], remedies };
}

function addressFinding(facts: Facts, request: BindRequest): Finding {
  const address = formatZoned(request);
  switch (facts.addressTrouble.get(address)!) {
    case "absent":
      return finding(
        "address-unavailable",
        `${address} is not an address of this host: bind answers EADDRNOTAVAIL`,
        ["it is about the address; every port of it is refused"],
        [{ what: "see which addresses there are", command: ["ip", "address"] }, { what: "or bind the wildcard" }],
      );
    case "tentative":
      return finding(
        "address-unavailable",
        `${address} is still tentative: the kernel asks whether another host has it, and bind answers EADDRNOTAVAIL`,
        ["duplicate address detection takes a second or two after the address was added, or the interface came up"],
        [wait("a second or two"), { what: "or set IPV6_FREEBIND" }],
      );
    case "duplicate":
      return finding(
        "address-unavailable",
        `${address} is of another host too: duplicate address detection has failed, and bind answers EADDRNOTAVAIL`,
        [],
        [{ what: "give this host another address" }],
      );
    case "without zone":
      return finding(
        "address-unavailable",
        `${address} is link-local, an address of a link and not of the host: without an interface bind answers EINVAL`,
        [
          `a program names the interface in sin6_scope_id, people behind the address, here too: [${address}%eth0]:${request.port}`,
        ],
        [
          { what: "let the program name the interface, or bind ::" },
          { what: "see which addresses there are", command: ["ip", "address"] },
        ],
      );
  }
}

function privilegeFinding(facts: Facts, request: BindRequest): Finding {
  const { unprivilegedPortStart } = facts.settings;
  return finding(
    "privileged-port",
    `ports below ${unprivilegedPortStart} take the capability CAP_NET_BIND_SERVICE, which user ${facts.users(request.uid)} does not have here: bind answers EACCES`,
    ["whether the port is in use was not even asked"],
    [
      { what: `take a port from ${unprivilegedPortStart} on` },
      {
        what: "or let every user bind from this port on",
        cost: "any user may then take such a port before its service does",
        command: ["sudo", "sysctl", "-w", `net.ipv4.ip_unprivileged_port_start=${request.port}`],
      },
      {
        what: "or give the program the capability: setcap cap_net_bind_service=+ep PROGRAM, AmbientCapabilities= in its unit",
        cost: "whoever may run that program has it",
      },
    ],
  );
}

function policyFinding(facts: Facts, errno: string): Finding {
  const selinux = facts.policies.includes("SELinux");
  return finding(
    "policy",
    `no socket is in the way and no privilege is missing, and still the kernel answers ${errno}: a policy refuses it`,
    [
      ...(selinux ? ["SELinux is enforcing here: it allows each domain ports of its own types only"] : []),
      "beside SELinux it can be a BPF program of the control group (systemd's SocketBindDeny=), Landlock or seccomp",
    ],
    [
      ...(selinux ? [{ what: "see which types may bind which ports", command: ["semanage", "port", "-l"] }] : []),
      { what: "see the BPF programs of the control groups", command: ["sudo", "bpftool", "cgroup", "tree"] },
      { what: "ask again from outside of the service or sandbox, where the policy does not hold" },
    ],
  );
}

function invisibleFinding(facts: Facts): Finding {
  if (facts.policies.includes("WSL")) {
    return finding(
      "outside-linux",
      "no socket of this Linux is in the way, and still bind answers EADDRINUSE: a program of Windows has the port",
      ["WSL shares ports with Windows, whose sockets Linux does not list"],
      [
        { what: "look on the Windows side", command: ["netstat.exe", "-ano"] },
        {
          what: "ports that Windows keeps for itself",
          command: ["netsh.exe", "int", "ipv4", "show", "excludedportrange", "tcp"],
        },
      ],
    );
  }
  return finding(
    "invisible-socket",
    "bind answers EADDRINUSE, and the kernel lists no socket on the port",
    [
      facts.denied === undefined
        ? "kernels before 6.8 do not list sockets that are bound and do not listen; nor is one listed that SOCK_DESTROY has ended and its program not closed"
        : "netlink was refused, and /proc/net/tcp leaves out sockets that are bound and do not listen",
    ],
    [{ what: "end the program that you think has it, or take another port" }],
  );
}

/** An address that no TCP socket of this kind can have. */
function unfitFinding(request: BindRequest, rule: string): Finding {
  return finding(
    "address-unavailable",
    `${formatZoned(request)} can't be bound${request.ipv6Only ? " with IPV6_V6ONLY" : ""} on any host: bind answers EINVAL`,
    [rule],
    [{ what: "bind another address, or the wildcard" }],
  );
}

/** Why a bind is refused that no socket explains; none where one does. */
export function refusalFindings(facts: Facts, request: BindRequest, answer: BindAnswer): Finding[] {
  if (answer.outcome !== "refused") return [];
  switch (answer.errno) {
    case "EADDRNOTAVAIL":
      return facts.addressTrouble.has(formatZoned(request)) ? [addressFinding(facts, request)] : [];
    case "EACCES":
      if (answer.provedBy === "facts") return [privilegeFinding(facts, request)];
      return [policyFinding(facts, answer.errno)];
    case "EADDRINUSE":
      return answer.blockers.length === 0 ? [invisibleFinding(facts)] : [];
    case "EINVAL":
      if (facts.addressTrouble.has(formatZoned(request))) return [addressFinding(facts, request)];
      return [answer.rule ? unfitFinding(request, answer.rule.text) : policyFinding(facts, answer.errno)];
    default:
      return [policyFinding(facts, answer.errno ?? "an error")];
  }
}

/** A listener that is not in the way: it lives in a network namespace of its own. */
export function elsewhereFindings(facts: Facts): Finding[] {
  return facts.elsewhere.map(({ holder, namespace, local }) =>
    finding(
      "other-namespace",
      `${holder ? `${holder.program} (pid ${holder.pid})` : "somebody"} listens on ${formatEndpoint(local.address, local.port)} in another network namespace (${namespace}): no conflict`,
      ["a container has its ports to itself; it is reached by its own address, or where its engine publishes the port"],
      [],
    ),
  );
}

/** Nothing is in the way. */
export function freeFinding(facts: Facts, proved: boolean): Finding {
  const others = facts.sockets.filter(({ state }) => state !== "LISTEN");
  return finding(
    "free",
    proved
      ? "bind was granted in a trial, without listen, and undone at once"
      : "nothing is seen in the way; bind was not tried",
    others.length > 0
      ? [`sockets that are not in the way: ${listText([...new Set(others.map(localText))].slice(0, 5))}`]
      : [],
    [],
  );
}
