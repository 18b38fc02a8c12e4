/** `npm run schema`: writes docs/predict.schema.json from the schema that `lastack predict` reads files by. */
import { writeFileSync } from "node:fs";
import { scenarioJsonSchema } from "../test/support/scenario-schema.ts";

const path = new URL("../docs/predict.schema.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`);
