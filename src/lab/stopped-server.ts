/** The document's story up to where the server is started again. */
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import type { Process, Socket } from "./process.ts";
import type { Story } from "./story.ts";

/** Who plays in it. `name`: the server's process. */
export interface StoppedServer {
  host: Host;
  name: string;
  port: number;
  reuseAddress: boolean;
  client: Process;
}

/** The document's programs send arrays of 20 characters. */
function inTwenty(text: string): string {
  return text.padEnd(20, "\0");
}

/**
 * A server listens on the wildcard, takes a connection, reads, answers, and is stopped by Ctrl-C; the client reads to the
 * end and closes as well. Returns both ends of the connection: the server's is in TIME-WAIT.
 */
export function* stoppedServer(lab: Lab, played: StoppedServer): Story<{ asking: Socket; connection: Socket }> {
  const { host, name, port, reuseAddress, client } = played;
  const server = yield* host.process(name, { mortal: true });
  const listener = yield* server.listen(port, { reuseAddress, backlog: 20 });
  const asking = yield* client.connect(host, port);
  const connection = yield* listener.accept();
  yield* asking.write(inTwenty("I am client"));
  lab.expect("what the server reads", yield* connection.readInShort(), "I am client");
  yield* connection.write(inTwenty("I am server"));
  lab.expect("what the client reads", yield* asking.readInShort(), "I am server");
  lab.say("Ctrl-C ends the server while the client is connected");
  yield* server.kill("SIGINT");
  yield* connection.reaches("FIN-WAIT-2");
  lab.expect("what the client reads then", yield* asking.readInShort(), "end of stream");
  yield* asking.close();
  yield* connection.reaches("TIME-WAIT");
  yield* asking.reaches("CLOSED");
  return { asking, connection };
}
