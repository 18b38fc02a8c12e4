import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as sys from "../../src/sys/index.ts";
import { testNeeding } from "../support/needs.ts";

const SIGTERM = 15;

describe("processes by descriptor", () => {
  test("a signal reaches the process; afterwards there is none, whoever has its pid", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    using pidfd = sys.pidfdOpen(child.pid!);
    sys.pidfdSendSignal(pidfd, 0);
    const exit = once(child, "exit");
    sys.pidfdSendSignal(pidfd, SIGTERM);
    expect(await exit).toEqual([null, "SIGTERM"]);
    expect(() => sys.pidfdSendSignal(pidfd, 0)).toThrow(expect.objectContaining({ code: "ESRCH", errno: 3 }));
  });

  test("a descriptor of another process can be had, and is the same file", async () => {
    const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    using pidfd = sys.pidfdOpen(child.pid!);
    using borrowed = sys.pidfdGetfd(pidfd, 0);
    expect(sys.readlinkat(undefined, `/proc/self/fd/${borrowed.number}`)).toBe(
      sys.readlinkat(undefined, `/proc/${child.pid}/fd/0`),
    );
    expect(() => sys.pidfdGetfd(pidfd, 999)).toThrow(expect.objectContaining({ code: "EBADF" }));
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });

  test.each([
    ["exit 7", { status: 7 }],
    ["kill -9 $$", { signal: 9 }],
  ])("how a child ended is told (%s), without waiting for it in Node's place", async (script, ending) => {
    const child = spawn("sh", ["-c", `read line; ${script}`], { stdio: ["pipe", "ignore", "ignore"] });
    using pidfd = sys.pidfdOpen(child.pid!);
    expect(sys.childEnding(pidfd)).toBeUndefined();
    child.stdin.end("\n");
    expect(sys.poll([{ fd: pidfd, events: sys.POLLIN }], 10_000)).toEqual([sys.POLLIN]);
    expect([sys.childEnding(pidfd), sys.childEnding(pidfd)]).toEqual([ending, ending]);
    expect(await once(child, "exit")).toEqual("status" in ending ? [7, null] : [null, "SIGKILL"]);
  });

  test("signals go by their names", () => {
    expect([sys.signalNumber("SIGTERM"), sys.signalName(15), sys.signalName(63)]).toEqual([15, "SIGTERM", "signal 63"]);
  });

  test("there is no descriptor for a process that is not", () => {
    expect(() => sys.pidfdOpen(4_194_304)).toThrow(expect.objectContaining({ syscall: "pidfd_open", code: "ESRCH" }));
  });

  test("one thread's descriptors are the other's, another process's are not", () => {
    const thread = readdirSync("/proc/self/task")
      .map(Number)
      .find((tid) => tid !== process.pid);
    expect(sys.sharesDescriptors(process.pid, thread!)).toBe(true);
    expect(sys.sharesDescriptors(process.pid, process.ppid)).toBe(false);
  });
});

describe("files", () => {
  test("openat, getdents64 and readlinkat agree with node:fs", () => {
    using directory = sys.openat(undefined, "/proc/self", sys.O_DIRECTORY);
    const into = new Uint8Array(65536);
    const names: string[] = [];
    for (let length: number; (length = sys.getdents64(directory, into)) > 0;) {
      for (let at = 0; at < length; at += into[at + 16]! | (into[at + 17]! << 8)) {
        names.push(Buffer.from(into.subarray(at + 19, into.indexOf(0, at + 19))).toString());
      }
    }
    expect(names.filter((name) => !name.startsWith(".")).sort()).toEqual(readdirSync("/proc/self").sort());
    expect(sys.readlinkat(directory, "exe")).toBe(process.execPath);
    expect(() => sys.openat(directory, "nothing", 0)).toThrow(
      expect.objectContaining({ syscall: "openat", errno: 2, code: "ENOENT" }),
    );
  });

  testNeeding(["a second uid"], "fchown gives a file away, setresuid changes a whole process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lastack-test-"));
    try {
      const path = join(folder, "file");
      writeFileSync(path, "");
      using fd = sys.openat(undefined, path, sys.O_RDWR);
      sys.fchown(fd, 65534, 65534);
      expect(statSync(path)).toMatchObject({ uid: 65534, gid: 65534 });
      const script = `import { setresuid } from ${JSON.stringify(new URL("../../src/sys/index.ts", import.meta.url).href)};
        setresuid(65534, 65534, 65534);
        process.stdout.write(process.getuid() + " " + process.geteuid());`;
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
      let output = "";
      child.stdout.on("data", (data: Buffer) => (output += data.toString()));
      await once(child, "close");
      expect(output).toBe("65534 65534");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("open_by_handle_at refuses a handle of nothing by number and name", () => {
    using root = sys.openat(undefined, "/", sys.O_DIRECTORY);
    expect(sys.tryOpenByHandleAt(root, new Uint8Array(16), 0)).toBeLessThan(0);
    expect(() => sys.openByHandleAt(root, new Uint8Array(16), 0)).toThrow(
      expect.objectContaining({ syscall: "open_by_handle_at", code: expect.stringMatching(/^E[A-Z]+$/) }),
    );
  });

  test("prctl names the thread, and refuses nonsense", () => {
    expect(() => sys.prctl(123_456)).toThrow(expect.objectContaining({ syscall: "prctl", code: "EINVAL" }));
    expect(() => sys.unshare(0x7fff_ffff)).toThrow(expect.objectContaining({ syscall: "unshare" }));
  });
});
