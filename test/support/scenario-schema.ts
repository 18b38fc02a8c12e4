import { toJsonSchema } from "@valibot/to-json-schema";
import { scenarioSchema } from "../../src/bind/scenario.ts";

/** The JSON Schema of scenarios. What it has no word for (that an address is one) is left to the command. */
export function scenarioJsonSchema(): object {
  return { title: "A scenario of lastack predict", ...toJsonSchema(scenarioSchema, { errorMode: "ignore" }) };
}
