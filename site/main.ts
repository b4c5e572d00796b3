import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildSite } from "./build.ts";

// npm run build:site -- --base /path/ --out folder
const { values } = parseArgs({
  options: { base: { type: "string", default: "/" }, out: { type: "string", default: "site/dist" } },
});
await buildSite({ folder: resolve(values.out), base: values.base });
