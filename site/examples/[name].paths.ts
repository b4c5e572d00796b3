import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../examples", import.meta.url));

/** A page for each example, with its source. */
export default {
  paths: () =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => ({
        params: { name: basename(file, ".ts") },
        content: `\`\`\`ts\n${readFileSync(`${folder}/${file}`, "utf8")}\`\`\``,
      })),
};
