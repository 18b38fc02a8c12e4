/** `npm run published-results`: writes docs/published-results.md. */
import { writeFileSync } from "node:fs";
import { publishedResults } from "../test/published/document.ts";

writeFileSync(new URL("../docs/published-results.md", import.meta.url), publishedResults());
