import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decodeInetDiagMessage, encodeInetDiagMessage } from "../../src/codec/inet-diag.ts";
import { decodeNetlinkAnswer, decodeNetlinkMessages, NLMSG_DONE, NLMSG_ERROR } from "../../src/codec/nlmsg.ts";
import { toTcpSocket } from "../../src/codec/tcp-socket.ts";
import { bytes } from "../support/bytes.ts";

const folder = new URL("../fixtures/kernel-replies/", import.meta.url);

interface Recorded {
  kernel: string;
  dump: string[];
  details: string[];
  refusedFilter: string[];
  missing: string[];
}

function messages(datagrams: string[]) {
  return datagrams.flatMap((datagram) => {
    const result = decodeNetlinkMessages(bytes(datagram));
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return result.value;
  });
}

function sockets(datagrams: string[]) {
  return messages(datagrams)
    .filter(({ type }) => type !== NLMSG_DONE)
    .map(({ payload }) => {
      const result = decodeInetDiagMessage(payload);
      if (!result.ok) throw new Error(JSON.stringify(result.error));
      expect(encodeInetDiagMessage(result.value)).toEqual(payload);
      return toTcpSocket(result.value);
    });
}

describe.each(readdirSync(folder))("replies of %s", (file) => {
  const recorded = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Recorded;

  test("the dump holds what was made: listeners, three connections, a TIME-WAIT", () => {
    const list = sockets(recorded.dump);
    const summary = list.map(({ protocol, state, local }) => `${protocol} ${state} ${local.address}`).sort();
    expect(summary).toEqual([
      "tcp4 ESTABLISHED 127.0.0.1",
      "tcp4 ESTABLISHED 127.0.0.1",
      "tcp4 ESTABLISHED 127.0.0.1",
      "tcp4 LISTEN 127.0.0.1",
      "tcp4 TIME-WAIT 127.0.0.1",
      "tcp46 ESTABLISHED ::ffff:127.0.0.1",
      "tcp46 LISTEN *",
      "tcp6 ESTABLISHED ::1",
      "tcp6 ESTABLISHED ::1",
    ]);
    expect(list.find(({ receiveQueue, state }) => state === "ESTABLISHED" && receiveQueue > 0)?.receiveQueue).toBe(11);
    expect(list.find(({ state }) => state === "TIME-WAIT")).toMatchObject({
      uid: null,
      inode: 0,
      timer: { kind: "timewait" },
    });
    expect(new Set(list.map(({ cookie }) => cookie)).size).toBe(list.length);
  });

  test("details that were asked for are there", () => {
    const established = sockets(recorded.details).filter(({ state }) => state === "ESTABLISHED");
    expect(established.length).toBeGreaterThan(0);
    for (const { info, memory, congestionControl } of established) {
      expect(info?.state).toBe(1);
      expect(info?.pmtu).toBeGreaterThanOrEqual(65535); // loopback
      expect(memory!.length).toBeGreaterThanOrEqual(9);
      expect(congestionControl).toMatch(/^[a-z]+$/);
    }
  });

  test("refusals are errors with the kernel's number", () => {
    const [refused] = messages(recorded.refusedFilter);
    expect(refused!.type).toBe(NLMSG_ERROR);
    expect(decodeNetlinkAnswer(refused!)).toMatchObject({ ok: true, value: { errno: 22 } });
    expect(decodeNetlinkAnswer(messages(recorded.missing)[0]!)).toMatchObject({ ok: true, value: { errno: 2 } });
  });
});
