import { toJsonSchema } from "@valibot/to-json-schema";
import { scenarioSchema } from "../../src/bind/scenario.ts";

/** The JSON Schema of scenarios. What it has no word for (that an address is one) is left to the command. */
export function scenarioJsonSchema(): object {
  const schema = toJsonSchema(scenarioSchema, { errorMode: "ignore", target: "draft-07" });
  return { $schema: "http://json-schema.org/draft-07/schema#", title: "A scenario of lastack predict", ...schema };
}
