/** Writes docs/flows/index.md from the registries: `npm run catalogue`. */
import { writeFileSync } from "node:fs";
import { catalogue } from "./cataloguePage.ts";

writeFileSync("docs/flows/index.md", catalogue());
