import { join } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { makeDirectory, writeFileAtomically } from "../files/index.ts";
import { type ExportedModel, type ExportFlowOptions, exportFlow } from "../flows/index.ts";
import { ImageModel } from "../images/model/index.ts";
import type { Precision } from "../onnx/index.ts";
import { exportTable, type LoadedModel, TableModel } from "../tables/model/index.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import { readModel } from "./model.ts";
import { program } from "./program.ts";
import { checkDirectoryName } from "./tableOutput.ts";

type What = NonNullable<ExportFlowOptions["what"]>;

interface Values {
  readonly model: string;
  readonly output: string;
  readonly what: readonly What[];
  readonly precision: Precision;
  readonly noise: "input" | "generated";
  readonly license: string | undefined;
  readonly author: string | undefined;
  readonly for: "dask" | "spark" | undefined;
}

/** Writes the ONNX files of a model, their description, and the Python file of an engine. */
export async function exportModel(values: Values, io: Io): Promise<void> {
  const { output, what, noise, for: engine } = values;
  checkDirectoryName(output, "--output");
  if (engine !== undefined && !what.includes("density")) {
    throw new PushforwardError("ARGUMENT", `--for ${engine} needs the density`, {
      expected: "density in --what",
      received: what.join(","),
      hint: `Write --what ${["density", ...what].join(",")}`,
    });
  }
  if (noise === "generated" && !what.includes("sampler")) {
    throw new PushforwardError("ARGUMENT", "--noise generated needs the sampler", {
      expected: "sampler in --what",
      received: what.join(","),
      hint: "Leave it out, or export the sampler too.",
    });
  }
  const model = await readModel(values.model);
  if (engine !== undefined && model.image) {
    throw new PushforwardError("ARGUMENT", `--for ${engine} is for models of tables`, {
      received: `${values.model}, a model of images`,
      hint: "Leave it out, and give density.onnx the pixels of images.",
    });
  }
  const exported = new Map(what.map((each) => [each, exportedModel(model, each, values)]));
  const files = new Map<string, Uint8Array | string>();
  for (const [name, { bytes }] of exported) files.set(`${name}.onnx`, bytes);
  const signatures = Array.from(exported, ([name, { signature }]) => [`${name}.onnx`, signature]);
  files.set("model.json", `${JSON.stringify(Object.fromEntries(signatures), null, 2)}\n`);
  if (engine !== undefined) {
    const { pythonFile } = await import("./pythonFile.ts");
    files.set(`score_${engine}.py`, pythonFile(engine));
  }
  await makeDirectory(output);
  for (const [name, content] of files) await writeFileAtomically(join(output, name), content);
  new Messages(io).print(`Wrote ${[...files.keys()].join(", ")} to ${output}`);
}

function exportedModel(
  loaded: LoadedModel,
  what: What,
  { model, precision, noise, license, author }: Values,
): ExportedModel {
  const { flow, table, labels, image } = loaded;
  const options = {
    precision,
    ...(what === "sampler" && { noise }),
    metadata: {
      ...(license !== undefined && { model_license: license }),
      ...(author !== undefined && { model_author: author }),
    },
  };
  try {
    if (!table)
      return exportFlow(
        flow,
        { ...options, what },
        { labels, image, ...(image && { maps: ImageModel.from(loaded).tensorMaps }) },
      );
    if (what === "density" || what === "sampler")
      return exportTable(TableModel.from({ flow, table }), { ...options, what }, { labels });
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.expected !== 'precision: "float64"') throw error;
    throw new PushforwardError("ARGUMENT", `float32 is too coarse for ${model}`, {
      received: error.received,
      hint: "Add --precision float64.",
      cause: error,
    });
  }
  throw new PushforwardError("ARGUMENT", `--what ${what} needs a single flow of numeric columns`, {
    expected:
      "density or sampler, which are all that a default model, or a flow fitted with kinds of columns, exports",
    hint: `Fit a single flow: ${program()} fit DATA --flow maf`,
  });
}
