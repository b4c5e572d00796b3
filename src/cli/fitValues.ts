import { PushforwardError } from "../check/index.ts";
import { orList } from "../tables/io/index.ts";
import type { FitValues } from "./fitOptions.ts";

/** The architectures that learn images. */
const IMAGE_FLOWS = ["glow", "realnvp", "nice", "tarflow", "image-transformer", "vae"] as const;
/** The architectures that learn only images. */
const ONLY_IMAGE_FLOWS = ["tarflow", "image-transformer", "vae"] as const;
type OnlyImageFlow = (typeof ONLY_IMAGE_FLOWS)[number];

/** For each option that only some architectures for images have: these architectures. */
const FLOWS_WITH = {
  levels: ["glow", "realnvp"],
  block: ["glow", "realnvp"],
  coupling: ["glow", "realnvp"],
  dequantization: ["glow", "realnvp", "nice", "tarflow"],
  patch: ["tarflow"],
  latent: ["vae"],
  classes: ["glow", "realnvp", "nice", "tarflow", "image-transformer"],
} as const satisfies Partial<Record<keyof FitValues, readonly (typeof IMAGE_FLOWS)[number][]>>;

/**
 * Whether the data are images and not a table: if `--image` is given, or the first path is one of images. A table with a column of
 * pictures is a table if options name its columns.
 *
 * @throws FILE if the first path cannot be read, and an option or the ending of the path is one of images.
 */
export async function areImages(all: FitValues): Promise<boolean> {
  const { data, image, columns, exclude, given, column, schema } = all;
  if (image !== undefined) return true;
  if (data[0] === undefined) return false;
  const { isImagePath } = await import("../open/index.ts");
  const namesColumns = (columns ?? exclude ?? schema) !== undefined || given.length + column.length > 0;
  try {
    return await isImagePath(data[0], { pictureColumns: !namesColumns });
  } catch (error) {
    if (optionOfImages(all) !== undefined || areMissingImages(data[0], error)) throw error;
    // The options for tables are checked first. Then the reader of tables explains what is wrong with the path.
    return false;
  }
}

/** Whether an error says that a path, which is one of images by its ending, does not exist. */
const areMissingImages = (path: string, error: unknown): boolean =>
  error instanceof PushforwardError &&
  (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT" &&
  /(\/|\.(png|jpe?g|np[yz]))$/i.test(path);

/** The values of `pushforward fit` for images. */
export interface ImageFitValues extends Omit<FitValues, "flow"> {
  readonly flow: (typeof IMAGE_FLOWS)[number];
}

/** @throws ARGUMENT for the first option that is not one of images, or not one of the flow. */
export function checkImageValues(values: FitValues): ImageFitValues {
  const {
    columns,
    exclude,
    column,
    schema,
    na,
    decimal,
    delimiter,
    given,
    contamination,
    budget,
    noKernel,
    hidden,
  } = values;
  const flow = values.flow === "default" ? "glow" : IMAGE_FLOWS.find((name) => name === values.flow);
  if (!flow) {
    throw new PushforwardError("ARGUMENT", `--flow ${values.flow} cannot learn images`, {
      expected: `one of ${IMAGE_FLOWS.join(", ")}`,
      hint: "For example: --flow glow",
    });
  }
  const ofTables = {
    columns,
    exclude,
    column: column.length > 0 || undefined,
    schema,
    na: na.length > 0 || undefined,
    decimal: decimal === "," || undefined,
    delimiter,
    given: given.length > 0 || undefined,
    contamination,
    budget: budget === "default" ? undefined : budget,
    "no-kernel": noKernel || undefined,
  };
  const [name] = Object.entries(ofTables).find(([, value]) => value !== undefined) ?? [];
  if (name) {
    throw new PushforwardError("ARGUMENT", `--${name} is an option for tables, and DATA are images`, {
      hint: name === "given" ? "For classes as the context: --classes" : "Leave it out.",
    });
  }
  if (hidden && hidden.length > 1) {
    throw new PushforwardError("ARGUMENT", "--hidden has several widths, and DATA are images", {
      expected: "one width",
      received: hidden.join(","),
      hint: "For example: --hidden 64",
    });
  }
  for (const [option, flows] of Object.entries(FLOWS_WITH)) {
    const value = values[option as keyof typeof FLOWS_WITH];
    if (value === undefined || value === false || flows.some((name) => name === flow)) continue;
    throw new PushforwardError("ARGUMENT", `--${option} cannot be combined with --flow ${flow}`, {
      hint: `It is an option of ${orList(flows)}.`,
    });
  }
  if (flow === "image-transformer" && values.draws > 1) {
    throw new PushforwardError("ARGUMENT", "--draws cannot be combined with --flow image-transformer", {
      hint: "Its probabilities are exact: leave the option out.",
    });
  }
  return { ...values, flow };
}

/** The values of `pushforward fit` for a table. */
export interface TableFitValues extends Omit<FitValues, "flow"> {
  readonly flow: Exclude<FitValues["flow"], OnlyImageFlow>;
}

/** @throws ARGUMENT for an option of images, because the data are a table, and for the first two that cannot be combined. */
export function checkTableValues(all: FitValues): TableFitValues {
  const { flow, transforms, hidden, column, schema, budget, contamination, given, noKernel } = all;
  if (budget !== "default" && flow !== "default") {
    throw new PushforwardError("ARGUMENT", `--budget cannot be combined with --flow ${flow}`, {
      hint: "It chooses the members of the default model. For one flow: --epochs, --patience, --hidden, --transforms.",
    });
  }
  if (contamination !== undefined && (flow !== "default" || given.length > 0)) {
    const other = flow === "default" ? "--given" : `--flow ${flow}`;
    throw new PushforwardError("ARGUMENT", `--contamination cannot be combined with ${other}`, {
      hint: "Only the default model without --given has anomaly scores: leave one of them out.",
    });
  }
  if (noKernel && flow !== "default") {
    throw new PushforwardError("ARGUMENT", `--no-kernel cannot be combined with --flow ${flow}`, {
      hint: "Only the default model contains training rows: leave the option out.",
    });
  }
  if (flow === "default" && (transforms ?? hidden)) {
    throw new PushforwardError(
      "ARGUMENT",
      `--${transforms ? "transforms" : "hidden"} cannot be combined with the default model`,
      { hint: "Choose a flow too, for example --flow nsf" },
    );
  }
  if (flow === "cnf" && (column.length > 0 || schema !== undefined)) {
    const option = column.length > 0 ? "--column" : "--schema";
    throw new PushforwardError("ARGUMENT", `${option} cannot be combined with --flow cnf`, {
      hint: "A continuous flow learns only numbers: leave one of them out, or choose another flow.",
    });
  }
  if (flow === "cnf" && transforms) {
    throw new PushforwardError("ARGUMENT", "--transforms cannot be combined with --flow cnf", {
      hint: "A continuous flow has no layers: leave the option out, or choose another flow.",
    });
  }
  const option = optionOfImages(all);
  if (option === undefined && !isOnlyOfImages(flow)) return { ...all, flow };
  throw new PushforwardError("ARGUMENT", `${option} is for images, and DATA is a table`, {
    hint: "If its columns are pixels, state the size of the images: --image 28x28x1",
  });
}

/** The first option that only images have. */
function optionOfImages(all: FitValues): string | undefined {
  const { flow, values, classes, flips, levels, block, coupling, dequantization, patch, latent, draws } = all;
  const ofImages = {
    ...{ values, classes: classes || undefined, flips: flips || undefined },
    ...{ levels, block, coupling, dequantization, patch, latent },
    draws: draws > 1 ? draws : undefined,
  };
  const [name] = Object.entries(ofImages).find(([, value]) => value !== undefined) ?? [];
  if (name) return `--${name}`;
  return isOnlyOfImages(flow) ? `--flow ${flow}` : undefined;
}

const isOnlyOfImages = (flow: FitValues["flow"]): flow is OnlyImageFlow =>
  ONLY_IMAGE_FLOWS.some((name) => name === flow);
