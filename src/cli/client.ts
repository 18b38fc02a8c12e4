import { dieWithParent } from "../linux/parent.ts";
import { runClient, type ClientOptions } from "../programs/client.ts";
import { StepFailed } from "../programs/steps.ts";
import { EXIT, UsageError } from "./exit-status.ts";
import { parseOptions } from "./options.ts";
import { say, tellFailure } from "./program-steps.ts";
import { endpointOf, lingerOf, messageOf } from "./server.ts";
import { parseDuration, parseEndpoint } from "./values.ts";

export const help = `lastack client: the tutorial's client, step by step

Usage: lastack client [[ADDRESS:]PORT] [options]      (127.0.0.1:8000)

Connects, writes "I am client", then reads until the server closes, and closes. Each step is a line. What the server
says too often to read is told once a second, with how many times it came.

Options
  -a, --address ADDRESS   the server's (127.0.0.1)
  -p, --port PORT         the server's (8000)
      --from ADDRESS:PORT bind to this before connecting
      --message TEXT      what to write, at most 19 bytes ("I am client")
      --sleep DURATION    before each read, as 500ms or 1s: the sleep that the tutorial has in a comment
      --no-read           never read: the server fills both buffers, and its write blocks
      --no-close          do not close when the server has: CLOSE-WAIT here, FIN-WAIT-2 there
      --half-close        shut down sending after the message
      --linger SECONDS    SO_LINGER; 0: closing sends a RST
      --die-with-parent   end when the process that started this one ends (for scripts)

Examples
  lastack client                     to the server on port 8000 of this host
  lastack client 3000 --no-close     then end the server, and look: lastack ls 3000
`;

function parse(args: string[]): ClientOptions {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      address: { type: "string", short: "a" },
      port: { type: "string", short: "p" },
      from: { type: "string" },
      message: { type: "string" },
      sleep: { type: "string" },
      "no-read": { type: "boolean" },
      "no-close": { type: "boolean" },
      "half-close": { type: "boolean" },
      linger: { type: "string" },
      "die-with-parent": { type: "boolean" },
    },
  });
  if (values["die-with-parent"]) dieWithParent();
  const endpoint = endpointOf(values, positionals, { address: Uint8Array.of(127, 0, 0, 1), port: 8000 });
  const from = values.from === undefined ? undefined : parseEndpoint(values.from);
  const anyAddress = new Uint8Array(endpoint.address.length);
  if (from?.address && from.address.length !== endpoint.address.length) {
    throw new UsageError(`--from ${values.from}: the server's address is of the other family`);
  }
  return {
    ...endpoint,
    from: from && { address: from.address ?? anyAddress, zone: from.zone, port: from.port },
    message: messageOf(values.message ?? "I am client"),
    sleepMs: values.sleep === undefined ? 0 : parseDuration(values.sleep, "--sleep"),
    noRead: values["no-read"] === true,
    noClose: values["no-close"] === true,
    halfClose: values["half-close"] === true,
    lingerSeconds: lingerOf(values.linger),
  };
}

export function run(args: string[]): number {
  const options = parse(args);
  try {
    runClient(options, say);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    const { port } = (error.step.startsWith("bind ") && options.from) || options;
    return tellFailure(error, port, "client");
  }
}
