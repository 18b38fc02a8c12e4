import type { Explanation } from "../remedy/explanation.ts";

declare global {
  namespace NodeJS {
    interface ErrnoException {
      /**
       * Of an error of listen: all that is known of the port that was refused. Given by `lastack/register`, which computes
       * it when it is read, and by `listen`. undefined where the kernel lets nobody look.
       */
      readonly lastack?: Explanation | undefined;
    }
  }
}

export type { Explanation };
