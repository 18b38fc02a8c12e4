import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSockaddr, encodeSockaddr } from "../../src/codec/sockaddr.ts";
import { enterNewNetworkNamespace } from "../../src/linux/namespace.ts";
import * as sys from "../../src/sys/index.ts";
import { testNeeding } from "../support/needs.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

beforeAll(() => {
  enterNewNetworkNamespace(); // where none is granted, loopback and free ports do as well
});

function listeningSocket(): { fd: sys.Fd; port: number } {
  const fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
  sys.bind(fd, encodeSockaddr({ address: LOOPBACK, port: 0 }));
  sys.listen(fd, 20);
  const name = decodeSockaddr(sys.getsockname(fd));
  if (!name.ok) throw new Error("getsockname");
  return { fd, port: name.value.port };
}

function connectedPair(): { listener: sys.Fd; client: sys.Fd; server: sys.Fd; port: number } {
  const { fd: listener, port } = listeningSocket();
  const client = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
  sys.connect(client, encodeSockaddr({ address: LOOPBACK, port }));
  return { listener, client, server: sys.accept(listener).fd, port };
}

function thrown(call: () => unknown): sys.SyscallError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(sys.SyscallError);
    return error as sys.SyscallError;
  }
  throw new Error("nothing was thrown");
}

test("a pair of sockets keeps messages apart, and tells when the other end is gone", () => {
  const [one, other] = sys.socketpair(sys.AF_UNIX, sys.SOCK_SEQPACKET);
  const into = new Uint8Array(10);
  sys.send(one, Uint8Array.of(1));
  sys.send(one, Uint8Array.of(2, 3));
  expect([sys.recv(other, into), into[0], sys.recv(other, into), into[1]]).toEqual([1, 1, 2, 3]);
  one.close();
  expect(sys.recv(other, into)).toBe(0);
  other.close();
});

describe("errors carry the call, the number and the name that the kernel gave", () => {
  test("EADDRINUSE is 98", () => {
    const { fd, port } = listeningSocket();
    using _ = fd;
    using second = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    const address = encodeSockaddr({ address: LOOPBACK, port });
    expect(thrown(() => sys.bind(second, address))).toMatchObject({ syscall: "bind", errno: 98, code: "EADDRINUSE" });
    expect(sys.tryBind(second, address)).toBe(-98);
  });

  test("EADDRNOTAVAIL is 99, ECONNREFUSED 111, EAFNOSUPPORT 97, ENOTSOCK 88", () => {
    using fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    const elsewhere = encodeSockaddr({ address: Uint8Array.of(192, 0, 2, 1), port: 1 });
    expect(thrown(() => sys.bind(fd, elsewhere))).toMatchObject({ errno: 99, code: "EADDRNOTAVAIL" });
    const { fd: closed, port } = listeningSocket();
    closed.close();
    const nobody = encodeSockaddr({ address: LOOPBACK, port });
    expect(thrown(() => sys.connect(fd, nobody))).toMatchObject({
      syscall: "connect",
      errno: 111,
      code: "ECONNREFUSED",
    });
    expect(thrown(() => sys.socket(200, 1, 0))).toMatchObject({ syscall: "socket", errno: 97, code: "EAFNOSUPPORT" });
    using file = sys.openat(undefined, "/dev/null", sys.O_RDONLY);
    expect(thrown(() => sys.listen(file, 1))).toMatchObject({ syscall: "listen", errno: 88, code: "ENOTSOCK" });
  });

  test("a message has it all, and an unknown number is shown as such", () => {
    expect(new sys.SyscallError("bind", 98).message).toBe("bind: EADDRINUSE (98)");
    expect(new sys.SyscallError("x", 11).code).toBe("EAGAIN");
    expect(sys.errnoName(4095)).toBe("errno 4095");
    expect(sys.errnoNumber("EADDRINUSE")).toBe(98);
  });
});

describe("a descriptor has one owner", () => {
  const openNumbers = () => new Set(readdirSync("/proc/self/fd"));

  test("it is closed once: closing again does not close its number's next owner", () => {
    const first = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    const number = first.number;
    first.close();
    using second = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    expect(second.number).toBe(number); // the kernel hands out the lowest free number
    first.close();
    expect(openNumbers()).toContain(String(number));
  });

  test("it can't be used once closed or given away", () => {
    const fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    fd.close();
    expect(fd.closed).toBe(true);
    expect(thrown(() => sys.listen(fd, 1))).toMatchObject({ errno: 9, code: "EBADF" });
    const given = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
    using owner = new sys.Fd(given.release());
    expect(thrown(() => given.number).code).toBe("EBADF");
    expect(owner.closed).toBe(false);
  });

  test("it is closed at the end of its block, also after an error, and no other process inherits it", () => {
    const before = openNumbers();
    expect(() => {
      using fd = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
      expect(sys.fcntl(fd, sys.F_GETFD)).toBe(1); // FD_CLOEXEC
      throw new Error("on the way");
    }).toThrow("on the way");
    expect(openNumbers()).toEqual(before);
  });
});

describe("bytes", () => {
  test("send and recv carry them, shutdown ends the stream, and the ends know each other", () => {
    const { listener, client, server, port } = connectedPair();
    using _ = listener;
    using __ = client;
    using ___ = server;
    expect(sys.send(client, Buffer.from("I am client"))).toBe(11);
    const waiting = Int32Array.of(0);
    sys.ioctl(server, sys.SIOCINQ, new Uint8Array(waiting.buffer));
    expect(waiting[0]).toBe(11);
    const into = new Uint8Array(100);
    expect(Buffer.from(into.subarray(0, sys.recv(server, into))).toString()).toBe("I am client");
    sys.shutdown(client, sys.SHUT_WR);
    expect(sys.recv(server, into)).toBe(0);
    expect(sys.write(server, Buffer.from("bye"))).toBe(3);
    expect(sys.read(client, into)).toBe(3);
    expect(decodeSockaddr(sys.getpeername(client))).toMatchObject({ ok: true, value: { address: LOOPBACK, port } });
    expect(sys.getpeername(server)).toEqual(sys.getsockname(client));
  });

  test("non-blocking calls answer -EAGAIN, and poll tells when they would not", () => {
    const { listener, client, server } = connectedPair();
    using _ = listener;
    using __ = client;
    using ___ = server;
    const into = new Uint8Array(10);
    sys.fcntl(listener, sys.F_SETFL, sys.O_NONBLOCK);
    expect(sys.fcntl(listener, sys.F_GETFL) & sys.O_NONBLOCK).toBe(sys.O_NONBLOCK);
    expect(sys.tryAccept(listener)).toBe(-sys.EAGAIN);
    expect(sys.tryRecv(server, into, sys.MSG_DONTWAIT)).toBe(-sys.EAGAIN);
    expect(
      sys.poll(
        [
          { fd: server, events: sys.POLLIN },
          { fd: client, events: sys.POLLOUT },
        ],
        1000,
      ),
    ).toEqual([0, sys.POLLOUT]);
    expect(sys.poll([{ fd: server, events: sys.POLLIN }], 0)).toEqual([0]);
    sys.send(client, Buffer.from("x"));
    expect(sys.poll([{ fd: server, events: sys.POLLIN }], 5000)).toEqual([sys.POLLIN]);
  });

  test("a peer that has gone is EPIPE, without the signal", () => {
    const { listener, client, server } = connectedPair();
    using _ = listener;
    using __ = server;
    sys.setsockopt(client, sys.SOL_SOCKET, sys.SO_LINGER, sys.encodeLinger(0));
    client.close();
    expect(sys.poll([{ fd: server, events: sys.POLLIN }], 5000)[0]! & sys.POLLHUP).toBe(sys.POLLHUP);
    expect(sys.trySend(server, Buffer.from("x"), sys.MSG_NOSIGNAL)).toBe(-104); // ECONNRESET, told once
    expect(sys.trySend(server, Buffer.from("x"), sys.MSG_NOSIGNAL)).toBe(-sys.EPIPE);
  });

  test("options are written and read back, as integers and as structures", () => {
    using fd = sys.socket(sys.AF_INET6, sys.SOCK_STREAM, 0);
    for (const [level, name] of [
      [sys.SOL_SOCKET, sys.SO_REUSEADDR],
      [sys.SOL_SOCKET, sys.SO_REUSEPORT],
      [sys.IPPROTO_IPV6, sys.IPV6_V6ONLY],
      [sys.IPPROTO_TCP, sys.TCP_NODELAY],
    ] as const) {
      sys.setsockopt(fd, level, name, 1);
      expect(sys.getsockopt(fd, level, name)).toBe(1);
    }
    sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_LINGER, sys.encodeLinger(7));
    expect(sys.getsockoptBytes(fd, sys.SOL_SOCKET, sys.SO_LINGER, 8)).toEqual(sys.encodeLinger(7));
    expect(thrown(() => sys.setsockopt(fd, 12345, 1, 1)).code).toMatch(/^(ENOPROTOOPT|EOPNOTSUPP)$/);
  });
});

describe("descriptors travel in messages", () => {
  test("sendmsg and recvmsg carry one over a Unix socket (SCM_RIGHTS)", () => {
    const { fd: listener, port } = listeningSocket();
    using _ = listener;
    // A connected pair of abstract Unix datagram sockets stands for two processes.
    const name = Buffer.concat([Buffer.from([1, 0, 0]), Buffer.from(`lastack-test-${process.pid}-${port}`)]);
    using receiver = sys.socket(1, sys.SOCK_DGRAM, 0);
    sys.bind(receiver, name);
    using sender = sys.socket(1, sys.SOCK_DGRAM, 0);
    sys.connect(sender, name);
    const control = new Uint8Array(24); // struct cmsghdr: length (8), level, type, then the descriptor
    const view = new DataView(control.buffer);
    view.setBigUint64(0, 20n, true);
    view.setInt32(8, sys.SOL_SOCKET, true);
    view.setInt32(12, sys.SCM_RIGHTS, true);
    view.setInt32(16, listener.number, true);
    expect(sys.sendmsg(sender, { data: Buffer.from("take it"), control })).toBe(7);
    const message = { data: new Uint8Array(32), control: new Uint8Array(64) };
    const { result, controlLength } = sys.recvmsg(receiver, message, sys.MSG_CMSG_CLOEXEC);
    expect(Buffer.from(message.data.subarray(0, result)).toString()).toBe("take it");
    expect(controlLength).toBeGreaterThanOrEqual(20);
    using received = new sys.Fd(new DataView(message.control.buffer).getInt32(16, true));
    expect(received.number).not.toBe(listener.number);
    expect(sys.getsockname(received)).toEqual(sys.getsockname(listener));
  });
});

testNeeding(["a network namespace"], "namespaces: setns leads back to where unshare left from", () => {
  using home = sys.openat(undefined, "/proc/thread-self/ns/net", sys.O_RDONLY);
  const here = sys.readlinkat(undefined, "/proc/thread-self/ns/net");
  const { fd, port } = listeningSocket();
  using _ = fd;
  expect(enterNewNetworkNamespace()).toBe(true);
  expect(sys.readlinkat(undefined, "/proc/thread-self/ns/net")).not.toBe(here);
  using same = sys.socket(sys.AF_INET, sys.SOCK_STREAM, 0);
  sys.bind(same, encodeSockaddr({ address: LOOPBACK, port })); // no conflict here
  sys.setns(home, sys.CLONE_NEWNET);
  expect(sys.readlinkat(undefined, "/proc/thread-self/ns/net")).toBe(here);
});
