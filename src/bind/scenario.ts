/** Scenarios: socket calls by the names of sockets, as people write them down (docs/predict.md). */
import * as v from "valibot";
import { canonical, isIpv6 } from "./address.ts";
import type { Host } from "./state.ts";
import type { Request } from "./requests.ts";

const name = v.pipe(
  v.string(),
  v.regex(/^[\w.-]{1,60}$/, "expected a name: letters, digits, '.', '_' and '-', at most 60"),
);
const whole = (least: number, most: number, what: string) => {
  const message = `expected ${what}: a whole number from ${least} to ${most}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
};
const number = whole(1, 65_535, "a port");
const range = v.tuple([whole(0, 65_535, "a port"), whole(0, 65_535, "a port")]);
const uid = v.exactOptional(whole(0, 4_294_967_294, "a uid"));
/** A check that JSON Schema has no word for. */
const address = v.pipe(
  v.string(),
  v.check((text) => canonical(text) !== undefined, "expected an IP address, like 127.0.0.1 or ::1"),
);
const port = (least: number) =>
  v.union(
    [whole(least, 65_535, "a port"), name],
    `expected a port, ${least} to 65535, or the name of a socket whose port is meant`,
  );
const flag = v.union([v.boolean(), v.literal(0), v.literal(1)], "expected true or false");

const options = v.strictObject({
  SO_REUSEADDR: v.exactOptional(flag),
  SO_REUSEPORT: v.exactOptional(flag),
  IPV6_V6ONLY: v.exactOptional(flag),
  IP_BIND_ADDRESS_NO_PORT: v.exactOptional(flag),
  /** Lowest and highest port; 0 leaves an end as it is. */
  IP_LOCAL_PORT_RANGE: v.exactOptional(range),
  /** A device's name, "" for none. */
  SO_BINDTODEVICE: v.exactOptional(v.string()),
  /** 0: close sends RST. -1: it does not. */
  SO_LINGER: v.exactOptional(v.picklist([0, -1])),
});

const step = v.variant("call", [
  v.strictObject({
    call: v.literal("socket"),
    socket: name,
    family: v.picklist(["IPv4", "IPv6"]),
    uid,
    options: v.exactOptional(options),
  }),
  v.strictObject({ call: v.literal("setsockopt"), socket: name, options }),
  v.strictObject({ call: v.literal("bind"), socket: name, address, port: port(0) }),
  v.strictObject({ call: v.literal("listen"), socket: name, backlog: v.exactOptional(whole(0, 4096, "a backlog")) }),
  v.strictObject({ call: v.literal("connect"), socket: name, address, port: port(1) }),
  v.strictObject({ call: v.literal("accept"), socket: name, as: name, uid }),
  v.strictObject({ call: v.literal("shutdown"), socket: name, how: v.picklist(["read", "write", "both"]) }),
  v.strictObject({ call: v.literal("close"), socket: name }),
]);

type Options = v.InferOutput<typeof options>;

/** The second device of a host, besides `lo`. */
export const SECOND_DEVICE = "wire0";

const host = v.strictObject({
  /** Addresses of a second device, `wire0`, besides those of loopback. */
  addresses: v.exactOptional(v.array(address)),
  /** net.ipv4.ip_local_port_range */
  portRange: v.exactOptional(
    v.pipe(
      v.tuple([number, number]),
      v.check(([low, high]) => low <= high, "expected the lowest port first"),
    ),
  ),
  /** net.ipv4.ip_local_reserved_ports, ranges with both ends; of Windows the excluded port ranges. */
  reservedPorts: v.exactOptional(
    v.array(
      v.pipe(
        v.tuple([number, number]),
        v.check(([low, high]) => low <= high, "expected the lowest port first"),
      ),
    ),
  ),
  /** net.ipv4.ip_unprivileged_port_start */
  unprivilegedPortStart: v.exactOptional(whole(0, 65_535, "a port")),
  /** Whether the processes have CAP_NET_BIND_SERVICE. */
  mayBindPrivileged: v.exactOptional(v.boolean()),
  /** net.ipv4.tcp_timestamps */
  timestamps: v.exactOptional(v.boolean()),
  /** net.ipv4.ip_autobind_reuse */
  autobindReuse: v.exactOptional(v.boolean()),
});

export const scenarioSchema = v.strictObject({
  /** For editors: where the JSON Schema is. */
  $schema: v.exactOptional(v.string()),
  schema: v.literal(1),
  title: v.exactOptional(v.string()),
  host: v.exactOptional(host),
  steps: v.pipe(v.array(step), v.minLength(1, "expected at least one step"), v.maxLength(10_000)),
});

export type Scenario = v.InferOutput<typeof scenarioSchema>;
export type ScenarioStep = Scenario["steps"][number];

/** `where` is the path to what is wrong, such as `steps.3.port`; steps are counted from 0. */
export type ReadScenario = { ok: true; scenario: Scenario } | { ok: false; where: string; problem: string };

/** Names must be made before they are used, once, and not used after close. */
function findMisnamed({ steps }: Scenario): { where: string; problem: string } | undefined {
  const open = new Set<string>();
  const all = new Set<string>();
  for (const [i, step] of steps.entries()) {
    const made = step.call === "socket" ? step.socket : step.call === "accept" ? step.as : undefined;
    if (step.call !== "socket" && !open.has(step.socket)) {
      const problem = all.has(step.socket) ? `'${step.socket}' is closed` : `there is no socket '${step.socket}' yet`;
      return { where: `steps.${i}.socket`, problem };
    }
    if ("port" in step && typeof step.port === "string" && !all.has(step.port)) {
      return { where: `steps.${i}.port`, problem: `there is no socket '${step.port}' yet` };
    }
    if (step.call === "close") open.delete(step.socket);
    if (made === undefined) continue;
    if (all.has(made)) {
      const where = `steps.${i}.${step.call === "accept" ? "as" : "socket"}`;
      return { where, problem: `there is a socket '${made}' already; names are used once` };
    }
    open.add(made);
    all.add(made);
  }
  return undefined;
}

/** Reads a scenario. Never throws. */
export function readScenario(text: string): ReadScenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, where: "the file", problem: (error as Error).message };
  }
  const parsed = v.safeParse(scenarioSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return { ok: false, where: v.getDotPath(issue) ?? "the file", problem: issue.message };
  }
  const misnamed = findMisnamed(parsed.output);
  return misnamed ? { ok: false, ...misnamed } : { ok: true, scenario: parsed.output };
}

/** The host that the scenario describes. */
export function hostOf({ host = {} }: Scenario, plain: Host): Host {
  const { addresses = [], ...rest } = host;
  const more = addresses.map((text) => {
    const address = canonical(text)!;
    return { address, onLink: isIpv6(address) ? 64 : 24, device: SECOND_DEVICE };
  });
  return { ...plain, ...rest, addresses: [...plain.addresses, ...more] };
}

function optionRequests(socket: string, values: Options, devices: readonly string[]): Request[] {
  return Object.entries(values).map(([option, given]): Request => {
    const set = { name: "setsockopt", socket } as const;
    if (option === "SO_BINDTODEVICE") {
      const index = devices.indexOf(given as string);
      return { ...set, option: "SO_BINDTOIFINDEX", value: index < 0 ? devices.length : index };
    }
    if (option === "IP_LOCAL_PORT_RANGE") {
      const [low, high] = given as [number, number];
      return { ...set, option, value: low + 65_536 * high };
    }
    return { ...set, option: option as "SO_REUSEADDR", value: Number(given) };
  });
}

const DEFAULT_BACKLOG = 128;

/**
 * The requests that a step stands for: one, and one for each option. `ports`: what the sockets got so far, for steps that
 * name one; `devices`: see `devicesOf`. undefined where the port of a socket is meant that has none.
 */
export function requestsOf(
  step: ScenarioStep,
  ports: ReadonlyMap<string, number>,
  devices: readonly string[],
): Request[] | undefined {
  const { socket } = step;
  switch (step.call) {
    case "socket": {
      const made: Request = { name: "socket", socket, family: step.family, uid: step.uid ?? 0 };
      return [made, ...optionRequests(socket, step.options ?? {}, devices)];
    }
    case "setsockopt":
      return optionRequests(socket, step.options, devices);
    case "bind":
    case "connect": {
      const port = typeof step.port === "string" ? ports.get(step.port) : step.port;
      return port === undefined ? undefined : [{ name: step.call, socket, address: step.address, port }];
    }
    case "listen":
      return [{ name: "listen", socket, backlog: step.backlog ?? DEFAULT_BACKLOG }];
    case "accept":
      return [{ name: "accept", socket, as: step.as, uid: step.uid ?? 0 }];
    case "shutdown":
      return [{ name: "shutdown", socket, how: step.how }];
    case "close":
      return [{ name: "close", socket }];
  }
}
