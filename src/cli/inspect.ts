import { command } from "./command.ts";
import { jsonLine } from "./format.ts";
import { flag, model } from "./options.ts";

export const inspect = command({
  name: "inspect",
  summary: "Shows what is in a model file.",
  positionals: { model },
  options: { json: flag("Prints one JSON object with the whole description of the flow.") },
  examples: [["inspect model.safetensors", "Its columns, its flow, and how it was trained."]],
  async run({ model: path, json }, io) {
    const { readModel } = await import("./model.ts");
    const { describeModel, modelSummary } = await import("./modelSummary.ts");
    const model = await readModel(path);
    io.stdout.write(json ? jsonLine(describeModel(model)) : modelSummary(model, path));
  },
});
