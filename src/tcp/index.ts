/** The TCP endpoint: one connection as plain data, and the functions on it. A room that does no I/O and knows no clock. */
export { handleSegment } from "./arrival.ts";
export { receive, send, sendRoom } from "./calls.ts";
export { abort, close, shutdown } from "./closing.ts";
export {
  becomeClosed,
  copyConnection,
  finAcknowledged,
  finReceived,
  pollEvent,
  type Connection,
  type ConnectionError,
  type ConnectionEvent,
  type ConnectionState,
} from "./connection.ts";
export { ByteWriter } from "./byte-writer.ts";
export { encodeConnection, writeConnection } from "./encode.ts";
export { initialNumber, type Ends } from "./initial-number.ts";
export { LINUX, RFC9293, type Profile } from "./profile.ts";
export { isOldByTimestamp } from "./options.ts";
export { resetFor } from "./segment.ts";
export { settingsOf, type Settings } from "./settings.ts";
export { connect, listen } from "./setup.ts";
export { reopensWith, yieldsTo } from "./time-wait.ts";
export { handleTimeout, pollTimeout } from "./timers.ts";
export { pollTransmit } from "./transmit.ts";
