/** The rules that an answer can name, each with its place in Linux's source (6.18), or in another system's documents. */

export interface Rule {
  /** One sentence. */
  text: string;
  /** Below the root of the kernel's source; or a document's name. */
  file: string;
  /** … or a document's topic. */
  function: string;
}

const CSK = "net/ipv4/inet_connection_sock.c";
const HASH = "net/ipv4/inet_hashtables.c";
const INET = "net/ipv4/af_inet.c";
const INET6 = "net/ipv6/af_inet6.c";
const TCP4 = "net/ipv4/tcp_ipv4.c";
const TCP6 = "net/ipv6/tcp_ipv6.c";
const EXCLUSIVE = "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE";
const rule = (text: string, file: string, name: string): Rule => ({ text, file, function: name });

export const RULES = {
  done: rule("Nothing stands against it.", "net/socket.c", "__sys_socket"),
  // bind, listen: granted
  "port free": rule("No socket that stands in the way has this port.", CSK, "inet_csk_get_port"),
  "both reuse": rule(
    "Every socket in the way shares the port: both set SO_REUSEADDR and it does not listen, or both set SO_REUSEPORT and one user made both.",
    CSK,
    "inet_bind_conflict",
  ),
  "remembered port sharing": rule(
    "The last to bind the port had set SO_REUSEPORT, as the bucket remembers (fastreuseport): nobody is looked at.",
    CSK,
    "sk_reuseport_match",
  ),
  "port chosen": rule("A free port of the local range is chosen.", CSK, "inet_csk_find_open_port"),
  "address only": rule("IP_BIND_ADDRESS_NO_PORT: connect will choose the port.", INET, "__inet_bind"),
  "listens already": rule("A listener that is told to listen again changes its backlog.", INET, "__inet_listen_sk"),
  // bind, listen: refused
  "in use": rule(
    "A socket with this port overlaps in address, and they do not both allow sharing.",
    CSK,
    "inet_bind_conflict",
  ),
  "no port left to bind": rule(
    "No port of the local range is free: with port 0 no flag lets sockets share one.",
    CSK,
    "inet_csk_find_open_port",
  ),
  "not local": rule("The address is none of this host's.", INET, "__inet_bind"),
  "not local (IPv6)": rule("The address is none of this host's, or not of the socket's device.", INET6, "__inet6_bind"),
  privileged: rule("Ports below ip_unprivileged_port_start need CAP_NET_BIND_SERVICE.", INET, "__inet_bind"),
  "bound already": rule("The socket has a port, listens or is connected.", INET, "__inet_bind"),
  "multicast stream": rule("A TCP socket can't be bound to an IPv6 multicast address.", INET6, "__inet6_bind"),
  "mapped but v6 only": rule("IPV6_V6ONLY excludes v4-mapped addresses.", INET6, "__inet6_bind"),
  "IPv6 address for IPv4": rule("An IPv4 socket takes IPv4 addresses.", INET, "__inet_bind"),
  "IPv4 address for IPv6": rule(
    "An IPv6 socket takes a sockaddr_in6; that of IPv4 is too short (write ::ffff:a.b.c.d).",
    INET6,
    "inet6_bind_sk",
  ),
  "cannot listen": rule("A socket that is or was connected can't listen.", INET, "inet_listen"),
  // other systems
  "in use (BSD)": rule(
    "A socket with this port overlaps in address; SO_REUSEADDR would pass over connections and other addresses, SO_REUSEPORT on both sides over all.",
    "setsockopt(2)",
    "SO_REUSEADDR, SO_REUSEPORT",
  ),
  "in use (Windows)": rule(
    "A socket is bound to the same address and port.",
    EXCLUSIVE,
    "no option on the second socket",
  ),
  "not shared (Windows)": rule(
    "A socket is bound to the same address and port, and has not set SO_REUSEADDR.",
    EXCLUSIVE,
    "SO_REUSEADDR on the second socket",
  ),
  "excluded (Windows)": rule(
    "The port is in an excluded range, which Hyper-V, WSL or an administrator keeps: nobody has to listen there.",
    "netsh interface ipv4 show excludedportrange",
    "excluded port ranges",
  ),
  "another user's (Windows)": rule(
    "A socket of another user is bound to the wildcard.",
    EXCLUSIVE,
    "sockets of several users",
  ),
  // connect
  "connect binds": rule("connect chooses a port that only connecting sockets use.", HASH, "__inet_hash_connect"),
  "tuple free": rule("No connection has these two ends.", HASH, "__inet_check_established"),
  "tuple of TIME-WAIT": rule(
    "A TIME-WAIT with these ends gives way to an explicitly bound port where timestamps tell the two apart.",
    TCP4,
    "tcp_twsk_unique",
  ),
  "tuple in use": rule("A connection between these two ends exists already.", HASH, "__inet_check_established"),
  "no port left to connect": rule(
    "Every port of the local range is bound by bind(2), or connected to this destination already.",
    HASH,
    "__inet_hash_connect",
  ),
  "no listener": rule("Nobody listens there: a RST comes back.", TCP4, "tcp_v4_rcv"),
  "is connected": rule("The socket is or was connected, or listens.", INET, "__inet_stream_connect"),
  "no route": rule("No route leads there.", TCP4, "tcp_v4_connect"),
  "v6 only to IPv4": rule("IPV6_V6ONLY excludes v4-mapped addresses.", TCP6, "tcp_v6_connect"),
  "mapped to IPv6": rule(
    "A socket bound to a v4-mapped address can't reach IPv6.",
    "net/ipv6/ip6_output.c",
    "ip6_dst_lookup_tail",
  ),
  "loopback leaves": rule(
    "A socket bound to loopback can't reach another host.",
    "net/ipv4/route.c",
    "__mkroute_output",
  ),
  "peer decides": rule("Binding is granted; the other host has to answer.", TCP4, "tcp_v4_connect"),
  "other end in use": rule(
    "The other end has a socket with these two ends, which does not take a new connection.",
    "net/ipv4/tcp_input.c",
    "tcp_validate_incoming",
  ),
  "speaks IPv4": rule(
    "After a connection to an IPv4 address was refused, an IPv6 socket sends its segments as IPv4's: none arrives.",
    TCP6,
    "tcp_v6_connect",
  ),
  "shut down before": rule(
    "shutdown was called before: a connection of the socket with itself ends as soon as it stands.",
    "net/ipv4/tcp_input.c",
    "tcp_rcv_state_process",
  ),
  "queue full": rule("The listener's queue is full: the SYN is dropped.", "net/ipv4/tcp_input.c", "tcp_conn_request"),
  // the rest
  "not listening": rule("Only a listener accepts.", CSK, "inet_csk_accept"),
  "nothing to accept": rule("No connection waits.", CSK, "inet_csk_accept"),
  "not connected": rule("The socket is not connected.", INET, "inet_shutdown"),
  "bound before IPV6_V6ONLY": rule(
    "IPV6_V6ONLY must be set before bind.",
    "net/ipv6/ipv6_sockglue.c",
    "do_ipv6_setsockopt",
  ),
  "no IPv6 option": rule("An IPv4 socket has no options of IPv6.", "net/ipv4/ip_sockglue.c", "ip_setsockopt"),
  "no such option": rule("This system has no such option.", "setsockopt(2)", "options"),
  "range reversed": rule("The lowest port is above the highest.", "net/ipv4/ip_sockglue.c", "do_ip_setsockopt"),
  "no such device": rule("There is no device of that name.", "net/core/sock.c", "sock_setbindtodevice"),
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
