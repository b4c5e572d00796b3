/** Writes docs/licences.md: `npm run licences`. */
import { writeFileSync } from "node:fs";
import { licencesPage } from "./licencesPage.ts";

writeFileSync(new URL("../docs/licences.md", import.meta.url), licencesPage());
