/** The endpoint talks to the kernel's TCP: handshakes, a megabyte each way, every way to close, over a wire that loses, duplicates and reorders. */
import { describe, expect } from "vitest";
import type { Rule } from "../../src/link/rule.ts";
import { encodeLinger, setsockopt, SHUT_WR, shutdown, SO_LINGER, SOL_SOCKET, type Fd } from "../../src/sys/index.ts";
import * as tcp from "../../src/tcp/index.ts";
import { testNeeding } from "../support/needs.ts";
import { drain, feed, KernelLab, nowUs } from "./kernel-lab.ts";
import { isPrefix } from "./pair.ts";
import { pattern } from "./socket.ts";

const NEEDS = ["a network namespace", "/dev/net/tun"] as const;
const MEGABYTE = 1_000_000;

interface Connected {
  lab: KernelLab;
  kernel: Fd;
  model: tcp.Connection;
  port: number;
}

const OPENINGS: Record<string, (lab: KernelLab, settings: Partial<tcp.Settings>) => Connected> = {
  "the model connects": (lab, settings) => {
    const { fd, port } = lab.listener();
    const model = lab.connectModel(port, settings);
    const kernel = lab.until("accept", () => lab.accept(fd));
    return { lab, kernel, model, port };
  },
  "the kernel connects": (lab, settings) => {
    const kernel = lab.connectKernel(settings);
    const model = lab.connection!;
    lab.until("ESTABLISHED", () => model.state === "ESTABLISHED");
    return { lab, kernel, model, port: model.remotePort };
  },
};

const WAYS: Record<string, Partial<tcp.Settings>> = {
  plain: {},
  "with timestamps and scaling": { timestamps: true, windowScale: 7, receiveBuffer: 400_000, sendBuffer: 400_000 },
  "as RFC 9293 has it": { profile: tcp.RFC9293, timestamps: true },
};

/** Every `period`-th segment with data from `from`, beginning with the `first`. */
function every(period: number, first: number, from: string, action: Rule["action"]): Rule[] {
  return Array.from({ length: 60 }, (_, i) => ({
    name: `${action.do} ${i}`,
    match: { from, payload: true },
    action,
    skip: first + i * period,
    times: 1,
  }));
}

/** Both send a megabyte and end; each reads to the end. */
function exchange({ lab, kernel, model }: Connected): void {
  const bytes = pattern(0, MEGABYTE);
  const at = { kernel: 0, model: 0 };
  const received = { kernel: [] as Uint8Array[], model: [] as Uint8Array[] };
  const done = { kernel: false, model: false };
  lab.until(
    "the end of both streams",
    () => {
      if (at.kernel < MEGABYTE && (at.kernel = feed(kernel, bytes, at.kernel)) === MEGABYTE) shutdown(kernel, SHUT_WR);
      at.model += tcp.send(model, bytes.subarray(at.model)) ?? 0;
      if (at.model === MEGABYTE) tcp.shutdown(model);
      done.kernel ||= drain(kernel, received.kernel);
      const read = tcp.receive(model);
      if (read === null) done.model = true;
      else if (read.length > 0) received.model.push(read);
      return done.kernel && done.model;
    },
    28_000,
  );
  for (const side of [received.kernel, received.model]) {
    expect(side.reduce((sum, { length }) => sum + length, 0)).toBe(MEGABYTE);
    expect(isPrefix(side)).toBe(true);
  }
  expect(model.error).toBeNull();
}

for (const [opening, open] of Object.entries(OPENINGS)) {
  describe(opening, () => {
    for (const [way, settings] of Object.entries(WAYS)) {
      testNeeding(NEEDS, `${way}: a megabyte each way`, () => {
        using lab = new KernelLab();
        exchange(open(lab, settings));
      });
    }

    const rules: Record<string, (from: string) => Rule[]> = {
      loses: (from) => every(23, 5, from, { do: "drop" }),
      duplicates: (from) => every(7, 2, from, { do: "duplicate", copies: 2 }),
      reorders: (from) => every(31, 3, from, { do: "reorder", behind: 2 }),
      delays: (from) => every(11, 3, from, { do: "delay", byUs: 20_000 }),
    };
    for (const [what, make] of Object.entries(rules)) {
      testNeeding(NEEDS, `a megabyte each way over a wire that ${what}`, () => {
        using lab = new KernelLab();
        const connected = open(lab, WAYS["with timestamps and scaling"]!);
        for (const rule of [...make("model"), ...make("kernel")]) lab.link.add(rule);
        exchange(connected);
      });
    }

    const both = (connected: Connected, model: string, kernel: string) =>
      connected.lab.until(`${model} and ${kernel}`, () => {
        const { lab, port } = connected;
        return connected.model.state === model && lab.kernelState(port) === kernel;
      });

    testNeeding(NEEDS, "the model closes first: it is in TIME-WAIT, the kernel's end is gone", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      tcp.close(connected.model, nowUs());
      both(connected, "FIN-WAIT-2", "CLOSE-WAIT");
      connected.kernel.close();
      both(connected, "TIME-WAIT", "CLOSED");
    });

    testNeeding(NEEDS, "the kernel closes first: it is in TIME-WAIT, the model's end is CLOSED", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      shutdown(connected.kernel, SHUT_WR);
      both(connected, "CLOSE-WAIT", "FIN-WAIT-2");
      tcp.close(connected.model, nowUs());
      both(connected, "CLOSED", "TIME-WAIT");
    });

    testNeeding(NEEDS, "both close at once: CLOSING, then TIME-WAIT", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      lab.link.add({ name: "hold", match: { has: ["FIN"] }, action: { do: "hold", as: "fin" }, times: 2 });
      shutdown(connected.kernel, SHUT_WR);
      tcp.shutdown(connected.model);
      lab.settle();
      expect(lab.link.held("fin")).toHaveLength(2);
      expect([connected.model.state, lab.kernelState(connected.port)]).toEqual(["FIN-WAIT-1", "FIN-WAIT-1"]);
      lab.release("fin");
      both(connected, "TIME-WAIT", "TIME-WAIT");
    });

    testNeeding(NEEDS, "the model aborts: the kernel's user is told", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      tcp.abort(connected.model, nowUs());
      both(connected, "CLOSED", "CLOSED");
      expect(() => drain(connected.kernel, [])).toThrow("-104");
    });

    testNeeding(NEEDS, "the kernel aborts (SO_LINGER 0): the model's user is told", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      setsockopt(connected.kernel, SOL_SOCKET, SO_LINGER, encodeLinger(0));
      connected.kernel.close();
      both(connected, "CLOSED", "CLOSED");
      expect(connected.model.error).toBe("reset");
    });

    testNeeding(NEEDS, "the kernel closes with data unread: RST", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      tcp.send(connected.model, pattern(0, 100));
      lab.settle();
      connected.kernel.close();
      both(connected, "CLOSED", "CLOSED");
      expect(connected.model.error).toBe("reset");
    });

    testNeeding(NEEDS, "the last ACK is lost: the FIN comes again, and TIME-WAIT answers it", () => {
      using lab = new KernelLab();
      const connected = open(lab, {});
      tcp.close(connected.model, nowUs());
      both(connected, "FIN-WAIT-2", "CLOSE-WAIT");
      lab.link.add({ name: "lost", match: { from: "model" }, action: { do: "drop" }, times: 1 });
      connected.kernel.close();
      lab.until("LAST-ACK", () => lab.kernelState(connected.port) === "LAST-ACK");
      both(connected, "TIME-WAIT", "CLOSED");
    });

    testNeeding(NEEDS, "a kernel that does not read: the window closes, is probed, and opens again", () => {
      using lab = new KernelLab();
      const { kernel, model } = open(lab, { sendBuffer: 20_000_000 });
      const total = 9_000_000;
      expect(tcp.send(model, pattern(0, total))).toBe(total);
      lab.until("a closed window", () => model.persistAtUs !== null && model.probes > 1);
      const received: Uint8Array[] = [];
      lab.until("all of it", () => {
        drain(kernel, received);
        return received.reduce((sum, { length }) => sum + length, 0) === total;
      });
      expect(isPrefix(received)).toBe(true);
    });
  });
}
