/** A host for binding alone: a network namespace with the parameters that the rules of binding depend on, and no wire. */
import type { Host, LocalAddress, State } from "../../bind/state.ts";
import { devicesOf, type Request } from "../../bind/requests.ts";
import { listenersAt } from "../../bind/connect.ts";
import { step } from "../../bind/step.ts";
import type { Answer } from "../../bind/answer.ts";
import { parseIp } from "../../codec/address.ts";
import { NetworkNamespace } from "../../linux/network-namespace.ts";
import { writeParameter } from "../../linux/parameter.ts";
import { addAddress, linkUp } from "../../linux/rtnetlink.ts";
import { enterHome } from "./home.ts";
import { BindRun, type Ran } from "./bind-run.ts";
import { DEVICE, type Port } from "./port.ts";
import { makePort } from "./ports.ts";

const MTU = 1500;

/** Sets in the calling thread's namespace what `host` says. */
export function applyHost(host: Host): void {
  const { portRange, reservedPorts, unprivilegedPortStart, timestamps, autobindReuse } = host;
  writeParameter("net.ipv4.ip_local_port_range", portRange.join(" "));
  // An empty list is written as well: there may be one from before.
  writeParameter("net.ipv4.ip_local_reserved_ports", `${reservedPorts.map((range) => range.join("-")).join(",")}\n`);
  writeParameter("net.ipv4.ip_unprivileged_port_start", unprivilegedPortStart);
  writeParameter("net.ipv4.tcp_timestamps", Number(timestamps));
  writeParameter("net.ipv4.ip_autobind_reuse", Number(autobindReuse));
  writeParameter("net.ipv4.tcp_tw_reuse", 0); // a TIME-WAIT would give way after a second: the rules know no clock
}

export class BindHost {
  readonly #namespace: NetworkNamespace;
  readonly #device: Port | undefined;
  readonly run: BindRun;

  /** Throws `NoNamespace`; `Unavailable` where there is no second device to be had. */
  constructor(host: Host) {
    enterHome();
    this.#namespace = NetworkNamespace.create();
    const more = host.addresses.filter(({ device }) => device === DEVICE);
    this.#device = more.length > 0 ? this.#makeDevice(more) : undefined;
    this.#namespace.run(() => applyHost(host));
    this.run = new BindRun(devicesOf({ host }), (make) => this.#namespace.run(make));
  }

  #makeDevice(addresses: readonly LocalAddress[]): Port {
    const port = makePort(undefined, this.#namespace);
    this.#namespace.run(() => {
      linkUp(DEVICE, { mtu: MTU, noArp: true });
      for (const { address, onLink } of addresses) {
        const bytes = parseIp(address)!;
        addAddress(DEVICE, bytes, onLink ?? 8 * bytes.length);
      }
    });
    return port;
  }

  close(): void {
    this.run.close();
    this.#device?.close();
    this.#namespace.close();
  }
}

/** One request, answered by the rules and by the kernel. */
export interface Beside {
  predicted: Answer;
  ran: Ran;
  agrees: boolean;
  /** The state by the rules, after what the kernel chose. */
  state: State;
}

/** Makes the request on the kernel, and holds the prediction against what happened. */
export function runBeside(state: State, kernel: BindRun, request: Request): Beside {
  const foreseen = step(state, request).answer;
  const listeners = request.name === "connect" ? listenersAt(state, request.port).map(({ id }) => id) : [];
  const ran = kernel.run(request, listeners, foreseen.outcome === "waits");
  const { state: after, answer: predicted } = step(state, request, ran.choice);
  const { result, choice } = ran;
  if (result === "waits") return { predicted, ran, agrees: predicted.outcome === "waits", state: after };
  if (!result.ok) return { predicted, ran, agrees: predicted.code === result.code, state: after };
  const isSamePort = choice.port === undefined || after.sockets.get(request.socket)!.port === choice.port;
  const isSameListener = choice.listener === undefined || predicted.listener === choice.listener;
  return { predicted, ran, agrees: predicted.outcome === "granted" && isSamePort && isSameListener, state: after };
}
