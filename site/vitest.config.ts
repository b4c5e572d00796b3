import { fileURLToPath } from "node:url";
import { mergeConfig } from "vitest/config";
import studio from "../studio/vitest.config.ts";

export default mergeConfig(studio, {
  test: {
    root: fileURLToPath(new URL(".", import.meta.url)),
    globalSetup: "test/setup.ts",
  },
});
