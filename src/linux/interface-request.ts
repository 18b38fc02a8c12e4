/** struct ifreq, the argument of ioctls about interfaces (include/uapi/linux/if.h): a name (16 bytes), then a union. */

const IFREQ_LENGTH = 40;
export const IFREQ_UNION = 16;
/** IFNAMSIZ, without the NUL. */
export const MAX_NAME = 15;

/** A request about the interface of this name, the rest zero. */
export function interfaceRequest(name: string): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(IFREQ_LENGTH);
  request.set(Buffer.from(name, "latin1"));
  return request;
}
