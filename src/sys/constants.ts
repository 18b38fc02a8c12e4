/**
 * Kernel constants, verbatim, with the header that defines them (Linux UAPI, asm-generic: x86-64 and arm64 agree on
 * all of these).
 */

// include/uapi/asm-generic/errno-base.h, errno.h: those that a call's ordinary course meets
export const EINTR = 4;
export const EBADF = 9;
export const EAGAIN = 11;
export const [EPERM, ENOENT, EACCES] = [1, 2, 13];
export const EPIPE = 32;
export const ENOSYS = 38;
export const EISCONN = 106;
export const EALREADY = 114;
export const EINPROGRESS = 115;

// include/linux/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const SCM_RIGHTS = 1;
export const SOL_PACKET = 263;

// include/linux/net.h
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_SEQPACKET = 5;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

// include/uapi/asm-generic/socket.h
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_RCVTIMEO = 20;
export const SO_ATTACH_FILTER = 26;
export const SO_RCVBUFFORCE = 33;
export const SO_COOKIE = 57;
export const SO_BINDTOIFINDEX = 62;

// include/uapi/linux/in.h, in6.h, tcp.h
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IP_TTL = 2;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IP_LOCAL_PORT_RANGE = 51;
export const TCP_NODELAY = 1;
export const TCP_LINGER2 = 8;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;

// include/uapi/linux/if_ether.h, if_packet.h
export const ETH_P_ALL = 0x0003;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const PACKET_STATISTICS = 6;
export const PACKET_QDISC_BYPASS = 20;

// include/uapi/linux/netlink.h
export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;

// include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = 0o200000;
export const O_CLOEXEC = 0o2000000;
export const AT_FDCWD = -100;
export const F_GETFD = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;

// include/uapi/asm-generic/poll.h
export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLRDHUP = 0x2000;

// include/uapi/linux/sched.h
export const CLONE_NEWNET = 0x40000000;

// include/uapi/linux/prctl.h, seccomp.h
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_SECCOMP = 22;
export const PR_SET_NO_NEW_PRIVS = 38;
export const SECCOMP_MODE_FILTER = 2;

// include/uapi/asm-generic/ioctls.h, include/uapi/linux/sockios.h
export const SIOCINQ = 0x541b;
export const SIOCOUTQ = 0x5411;
export const SIOCGIFNAME = 0x8910;
export const SIOCGIFFLAGS = 0x8913;
export const SIOCSIFFLAGS = 0x8914;
export const SIOCSIFADDR = 0x8916;
export const SIOCSIFNETMASK = 0x891c;
export const SIOCGIFINDEX = 0x8933;
export const SIOCETHTOOL = 0x8946;
// include/uapi/linux/nsfs.h
export const NS_GET_USERNS = 0xb701;

// include/uapi/linux/if.h, if_tun.h
export const IFF_UP = 0x1;
export const TUNSETIFF = 0x400454ca;
export const IFF_TUN = 0x1;
export const IFF_NO_PI = 0x1000;

// include/uapi/asm-generic/unistd.h: numbers since 424 are the same on every architecture
export const SYS_pidfd_send_signal = 424;
export const SYS_pidfd_open = 434;
export const SYS_pidfd_getfd = 438;

// include/linux/exportfs.h: the handle of a cgroup directory is its 64-bit id
export const FILEID_KERNFS = 0xfe;

// include/uapi/asm-generic/signal.h
export const SIG_DFL = 0n;

// include/uapi/linux/wait.h, include/uapi/asm-generic/siginfo.h
export const WNOHANG = 1;
export const WEXITED = 4;
export const WNOWAIT = 0x01000000;
export const P_PIDFD = 3;
export const CLD_EXITED = 1;
