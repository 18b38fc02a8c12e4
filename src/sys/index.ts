/** System calls of Linux. The only room that knows the FFI library; `ffi.ts` is the only file. */
export * from "./constants.ts";
export { errnoName, errnoNumber, NotLinux, signalName, signalNumber, SyscallError } from "./error.ts";
export { Fd } from "./fd.ts";
export { addressOf, isLoaded as isFfiLoaded } from "./ffi.ts";
export * from "./file.ts";
export * from "./process.ts";
export * from "./socket.ts";
