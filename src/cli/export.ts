import { command } from "./command.ts";
import { choice, choices, model, path, text } from "./options.ts";

export const exportCommand = command({
  name: "export",
  summary: "Writes a model as ONNX files, which other programs run without pushforward.",
  positionals: { model },
  options: {
    output: path({
      alias: "o",
      required: true,
      valueName: "DIR",
      example: "exported",
      description: "The directory to write into. It is created if it is missing.",
    }),
    what: choices(["density", "sampler", "latent", "data"], {
      valueName: "WHAT",
      default: "density,sampler",
      description:
        "What to export. density: rows to log-densities. sampler: noise to rows. latent: rows to latent variables. data: latent variables to rows. latent and data need a single flow of numeric columns (--flow) or a flow of images.",
    }),
    precision: choice(["float32", "float64"], {
      valueName: "TYPE",
      default: "float32",
      description: "The numbers that the files compute with.",
    }),
    noise: choice(["input", "generated"], {
      valueName: "NOISE",
      default: "input",
      description:
        "The noise of the sampler. input: the caller's, so that samples can be repeated. generated: the runtime draws it.",
    }),
    license: text({
      valueName: "TEXT",
      description: "The license of the model, for the metadata of the files.",
    }),
    author: text({
      valueName: "TEXT",
      description: "The author of the model, for the metadata of the files.",
    }),
    for: choice(["dask", "spark"], {
      valueName: "ENGINE",
      description: "Also writes a Python file that scores tables on a cluster with the density.",
    }),
  },
  details: [
    "Writes density.onnx, sampler.onnx and so on, and model.json, which describes their inputs and outputs, as the metadata of each file does.",
    "The density of a table has one input for each column, with its name: text, or float64 for all other types. docs/export.md has their meaning.",
  ],
  examples: [
    ["export model.safetensors -o exported", "density.onnx, sampler.onnx and model.json."],
    ["export model.safetensors -o exported --what density --precision float64", "The density in float64."],
    [
      "export model.safetensors -o exported --for dask",
      "Also score_dask.py, which scores a table on a cluster.",
    ],
  ],
  async run(values, io) {
    const { exportModel } = await import("./exportModel.ts");
    await exportModel(values, io);
  },
});
