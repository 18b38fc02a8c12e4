/** The user's calls on an open connection: SEND and RECEIVE (RFC 9293 sections 3.10.2 and 3.10.3). */
import { finReceived, receiveWindow, type Connection } from "./connection.ts";
import { dropFromQueue, sliceQueue } from "./reassembly.ts";
import { windowToOffer } from "./segment.ts";

/** How many bytes of data `send` would take now; undefined: the connection takes none any more, or never did. */
export function sendRoom(c: Connection): number | undefined {
  switch (c.state) {
    case "SYN-SENT":
    case "SYN-RECEIVED":
    case "ESTABLISHED":
    case "CLOSE-WAIT":
      return c.finSeq === null ? Math.max(0, c.settings.sendBuffer - c.sendLength) : undefined;
    case "LISTEN":
    case "FIN-WAIT-1":
    case "FIN-WAIT-2":
    case "CLOSING":
    case "LAST-ACK":
    case "TIME-WAIT":
    case "CLOSED":
      return undefined;
  }
}

/** Queues as many of the bytes as there is room for, and returns their number; see {@link sendRoom} for undefined. */
export function send(c: Connection, bytes: Uint8Array, more = false): number | undefined {
  const room = sendRoom(c);
  if (room === undefined) return undefined;
  c.more = more;
  c.held = more;
  const taken = bytes.slice(0, room);
  if (taken.length > 0) {
    c.sendQueue = [...c.sendQueue, taken];
    c.sendLength += taken.length;
  }
  return taken.length;
}

/** Takes up to `max` bytes of what has been received in order. Empty: there are none now. Null: none will ever come. */
export function receive(c: Connection, max = Infinity): Uint8Array | null {
  const length = Math.min(max, c.receiveLength);
  if (length === 0) return c.receiveLength === 0 && isReceiveOver(c) ? null : new Uint8Array();
  const bytes = sliceQueue(c.receiveQueue, 0, length);
  c.receiveQueue = dropFromQueue(c.receiveQueue, length);
  c.receiveLength -= length;
  if (opensWindow(c)) c.ackNow = true;
  return bytes;
}

function isReceiveOver(c: Connection): boolean {
  return c.state === "CLOSED" || finReceived(c);
}

/** The peer is told of room when the window has at least doubled by it (tcp_cleanup_rbuf): it may be waiting. */
function opensWindow(c: Connection): boolean {
  if (c.state !== "ESTABLISHED" && c.state !== "FIN-WAIT-1" && c.state !== "FIN-WAIT-2") return false;
  const current = receiveWindow(c);
  const next = windowToOffer(c);
  return next > current && next >= 2 * current;
}
