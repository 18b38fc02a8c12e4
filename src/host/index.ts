/** A modelled host: processes, descriptors, sockets and ports as plain data. A room that does no I/O and knows no clock. */
export { handlePacket } from "./arrival.ts";
export { endProcess, makeCall, resumeCalls, type Made, type Returned } from "./calls.ts";
export { destroySocket } from "./closing.ts";
export { writeHost, writePacket } from "./encode.ts";
export {
  copyHost,
  COUNTERS,
  createHost,
  setParameters,
  startProcess,
  type BlockedCall,
  type Counter,
  type Host,
  type HostPacket,
  type HostSettings,
  type HostSocket,
  type Numbering,
  type Process,
} from "./host.ts";
export { seeSockets, type SocketView } from "./look.ts";
export { DEFAULT_PARAMETERS, isParameter, type ParameterName, type Parameters } from "./parameters.ts";
export { handleTimeout, pollTimeout, pollTransmit } from "./transmit.ts";
