/**
 * Faber, Touch and Yue, "The TIME-WAIT state in TCP and its effect on busy servers" (1999), table 2: connections that come to
 * a server at an even rate, as WebSTONE's did, and how many of them rest with it in TIME-WAIT.
 */
import { seq } from "../../src/codec/seq.ts";
import * as tcp from "../../src/tcp/index.ts";

/** WebSTONE with TIME-WAIT at the server, and with the client's holding it. */
export const PUBLISHED = {
  server: { connectionsPerS: 49.09, timeWaitKb: 722.7 },
  client: { connectionsPerS: 62.02, timeWaitKb: 24.1 },
};

const [MS, S] = [1000, 1_000_000];
/** From the one to the other. */
const DELAY_US = 1 * MS;
const [REQUEST, RESPONSE] = [new Uint8Array(200), new Uint8Array(1000)];
const TIME_WAIT_US = 60 * S;

interface Exchange {
  client: tcp.Connection;
  server: tcp.Connection;
}

/** One end's part: it hears, its user acts, and what it sends arrives at the other. False: nothing was sent. */
function speak(from: tcp.Connection, to: tcp.Connection, nowUs: number): boolean {
  let sent = false;
  for (let segment; (segment = tcp.pollTransmit(from, nowUs)); sent = true) {
    tcp.handleSegment(to, nowUs + DELAY_US, segment);
  }
  return sent;
}

/** A request, a response, and the end, which `first` begins; both ends, and the time when all of it has come. */
function exchange(number: number, startUs: number, first: keyof Exchange): Exchange & { nowUs: number } {
  const settings = { localPort: 1024 + (number % 60_000), remotePort: 80, timeWaitUs: TIME_WAIT_US, noDelay: true };
  const client = tcp.connect(tcp.settingsOf(settings), seq(number * 64_000));
  const server = tcp.listen(tcp.settingsOf({ ...settings, localPort: 80, remotePort: 0 }), seq(number * 64_000 + 7));
  const ends: Exchange = { client, server };
  const other = first === "client" ? "server" : "client";
  let asked = false;
  let answered = false;
  let nowUs = startUs;
  for (let quiet = 0; quiet < 2; nowUs += DELAY_US) {
    if (!asked && client.state === "ESTABLISHED") asked = tcp.send(client, REQUEST) === REQUEST.length;
    if (asked && !answered && tcp.receive(server)?.length) answered = tcp.send(server, RESPONSE) === RESPONSE.length;
    const heard = tcp.receive(client)?.length;
    if (first === "server" ? answered : heard) tcp.shutdown(ends[first]);
    if (tcp.finReceived(ends[other])) tcp.shutdown(ends[other]);
    const spoken = [speak(client, server, nowUs), speak(server, client, nowUs)];
    quiet = spoken.includes(true) ? 0 : quiet + 1;
  }
  return { client, server, nowUs };
}

export interface Counted {
  connections: number;
  /** How many of the server's were in TIME-WAIT, each second after the first minute: least, mean and most. */
  least: number;
  mean: number;
  most: number;
}

/** Connections at this rate for so long, and how many of the server's are in TIME-WAIT, counted each second. */
export function countTimeWait(connectionsPerS: number, lengthS: number, first: keyof Exchange): Counted {
  const connections = Math.floor(connectionsPerS * lengthS);
  const servers = Array.from({ length: connections }, (_, i) => {
    return exchange(i, Math.floor((i / connectionsPerS) * S), first).server;
  });
  const resting = servers.filter(({ state }) => state === "TIME-WAIT");
  const beganUs = resting.map((server) => tcp.pollTimeout(server)! - TIME_WAIT_US);
  const counts: number[] = [];
  let [from, over] = [0, 0];
  for (let second = 1; second <= lengthS; second++) {
    const nowUs = second * S;
    while (from < resting.length && beganUs[from]! <= nowUs) from++;
    for (let due; over < from && (due = tcp.pollTimeout(resting[over]!)) !== undefined && due <= nowUs; over++) {
      tcp.handleTimeout(resting[over]!, nowUs);
    }
    if (nowUs <= TIME_WAIT_US) continue;
    counts.push(resting.slice(0, from).filter(({ state }) => state === "TIME-WAIT").length);
  }
  const sum = counts.reduce((total, count) => total + count, 0);
  return { connections, least: Math.min(...counts), mean: sum / counts.length, most: Math.max(...counts) };
}
