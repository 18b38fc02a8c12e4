/** `lastack why` without a port: two looks at all connections, and what they show. */
import { diagnoseHost, type HostFinding } from "../diagnose/host.ts";
import type { HostFacts, HostLook } from "../diagnose/host-facts.ts";
import { lookAtHost as look } from "../linux/host-facts.ts";
import { numbersOfParameter } from "../linux/parameter.ts";
import { programName } from "../linux/process.ts";
import { processUid, userName } from "../linux/users.ts";
import { EXIT } from "./exit-status.ts";
import { JSON_SCHEMA } from "./ls-json.ts";
import { sayOut } from "./output.ts";
import { line, remediesText } from "./why-text.ts";
import { toJson } from "../view/escape.ts";

function processesOf({ closeWait, fullListeners }: HostLook): HostFacts["processes"] {
  const pids = new Set([...closeWait.map(({ pid }) => pid), ...fullListeners.flatMap((listener) => listener.pids)]);
  pids.delete(null);
  return new Map(
    [...(pids as Set<number>)].map((pid) => {
      const uid = processUid(pid);
      return [pid, { program: programName(pid) ?? "?", user: uid === undefined ? "?" : userName(uid) }];
    }),
  );
}

async function collect(spanMs: number): Promise<HostFacts> {
  const [least, most] = numbersOfParameter("net.ipv4.ip_local_port_range", 32_768, 60_999);
  const range = [least!, most!] as const;
  const before = look(range);
  await new Promise((resolve) => setTimeout(resolve, spanMs));
  const after = look(range);
  return {
    before,
    after,
    spanMs,
    maxTimeWait: numbersOfParameter("net.ipv4.tcp_max_tw_buckets", Number.POSITIVE_INFINITY)[0]!,
    localPortRange: range,
    timeWaitReuse: numbersOfParameter("net.ipv4.tcp_tw_reuse", 0)[0]!,
    asRoot: process.geteuid!() === 0,
    processes: processesOf(after),
  };
}

function text(facts: HostFacts, findings: readonly HostFinding[]): string {
  const [first] = findings;
  const trouble = findings.filter((finding) => finding.trouble).length;
  const headline =
    trouble > 0
      ? `${trouble === 1 ? "One thing is" : `${trouble} things are`} wrong with this host's connections: ${first!.headline}`
      : `Nothing is wrong with this host's connections, as far as ${facts.spanMs / 1000} s show`;
  const rest = findings.map((finding) => {
    const mark =
      finding === first && trouble > 0 ? "" : `${finding.trouble ? "Also" : "Note"}: ${line(finding.headline)}\n`;
    return `${mark}${finding.detail.map((one) => `  ${line(one)}\n`).join("")}`;
  });
  return `${line(headline)}\n${rest.length > 0 ? `\n${rest.join("")}` : ""}${remediesText(findings.filter((finding) => finding.trouble))}`;
}

/** Looks, waits `spanMs`, looks again. Status 0: nothing is wrong, 1: something is. */
export async function explainHost(spanMs: number, json: boolean): Promise<number> {
  const facts = await collect(spanMs);
  const findings = diagnoseHost(facts);
  const { destinations, closeWait, timeWait, fullListeners } = facts.after;
  sayOut(
    json
      ? `${toJson({ schema: JSON_SCHEMA, spanMs, findings, closeWait, timeWait, destinations, fullListeners })}\n`
      : text(facts, findings),
  );
  return findings.some(({ trouble }) => trouble) ? EXIT.no : EXIT.ok;
}
