/** Amounts of data that nobody wants to see in full. */
import type { Socket } from "./process.ts";
import { Unmet, type Story } from "./story.ts";

/** One program writes so many bytes, and the other one reads them as they come. */
export function* transfer(from: Socket, to: Socket, length: number, repeat = "."): Story {
  const writing = yield* from.process.begin({ name: "write", fd: from.fd, data: { repeat, length } });
  for (let left = length; left > 0;) {
    const { value } = yield* to.process.must({ name: "read", fd: to.fd, length: left });
    if (value === 0) throw new Unmet(`${to.id} ends ${left} bytes early`);
    left -= value;
  }
  yield* from.process.succeed(writing);
}
