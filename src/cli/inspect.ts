import { command } from "./command.ts";
import { jsonLine } from "./format.ts";

export const inspect = command({
  name: "inspect",
  summary: "shows what is in a model file",
  args: {
    model: { type: "positional", required: true, description: "A model file that pushforward fit wrote." },
    json: {
      type: "boolean",
      description: "Prints one JSON object with the whole description of the flow.",
    },
  },
  examples: [["inspect model.safetensors", "Its columns, its flow, and how it was trained."]],
  async run({ args, io }) {
    const { readModel } = await import("./model.ts");
    const { describeModel, modelSummary } = await import("./modelSummary.ts");

    const model = await readModel(args.model);
    io.stdout.write(args.json ? jsonLine(describeModel(model)) : modelSummary(model, args.model));
  },
});
