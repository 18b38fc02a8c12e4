/** The parameters of a host (sysctls), by the kernel's names. */

/** A parameter's value as /proc/sys has it: numbers, several with blanks between them. */
export type Parameters = Readonly<Record<string, string>>;

/** What Linux starts with, of those that mean something to a modelled host (Documentation/networking/ip-sysctl.rst). */
export const DEFAULT_PARAMETERS = {
  "net.ipv4.ip_default_ttl": "64",
  "net.ipv4.ip_local_port_range": "32768 60999",
  "net.ipv4.ip_unprivileged_port_start": "1024",
  "net.ipv4.tcp_fin_timeout": "60",
  "net.ipv4.tcp_max_tw_buckets": "262144",
  "net.ipv4.tcp_rfc1337": "0",
  "net.ipv4.tcp_rmem": "4096 131072 33554432",
  "net.ipv4.tcp_timestamps": "1",
  "net.ipv4.tcp_tw_reuse": "2",
  "net.ipv4.tcp_tw_reuse_delay": "1000",
  "net.ipv4.tcp_window_scaling": "1",
  "net.ipv4.tcp_wmem": "4096 16384 4194304",
} as const;

export type ParameterName = keyof typeof DEFAULT_PARAMETERS;

export function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(DEFAULT_PARAMETERS, name);
}

/** The numbers of a parameter. */
export function numbersOf(parameters: Parameters, name: ParameterName): number[] {
  return (parameters[name] ?? DEFAULT_PARAMETERS[name]).split(/\s+/).map(Number);
}

export function numberOf(parameters: Parameters, name: ParameterName): number {
  return numbersOf(parameters, name)[0]!;
}
