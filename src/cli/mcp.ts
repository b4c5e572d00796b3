import { command } from "./command.ts";

export const mcp = command({
  name: "mcp",
  summary: "Gives an assistant tools to fit, test and use models (Model Context Protocol).",
  positionals: {
    directories: {
      variadic: true,
      description: "The directories with the tables and models. No other files are read or written.",
    },
  },
  options: {},
  details: [
    "An assistant starts the command, and talks to it over standard input and output. Its tools are columns, fit, inspect, report, score, anomalies, sample and impute. docs/mcp.md says how to set it up.",
    "Files that exist are never replaced, except for a model whose training run continues. Tools take names of files, and no queries and no programs.",
  ],
  examples: [["mcp ~/quakes", "Tools for the tables in one directory."]],
  async run({ directories }, io) {
    const { importOptional, ASSISTANTS } = await import("../package/index.ts");
    const { AllowedDirectories } = await import("./allowedDirectories.ts");
    const { serveTools } = await importOptional(ASSISTANTS, () => import("./mcpServer.ts"));
    await serveTools(await AllowedDirectories.open(directories), io);
  },
});
