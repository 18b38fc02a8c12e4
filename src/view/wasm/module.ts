/** The compiled formatter of rows. */
import { ROWS_WASM } from "./binary.ts";

/** What is used of it. The language's own types do not have it, and Node's leave it to the browser's. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

export interface RowFormatter {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** See assembly/rows.ts. */
  format(end: number, owners: boolean): number;
}

let compiled: object | undefined;

/** A formatter with a memory of its own. Compiled at the first call: who writes no table does not pay for it. */
export function rowFormatter(): RowFormatter {
  compiled ??= new WebAssembly.Module(ROWS_WASM);
  return new WebAssembly.Instance(compiled).exports as RowFormatter;
}
