import { nearestName, PushforwardError } from "../check/index.ts";
import { type ImageSet, noClassesError } from "../images/files/index.ts";
import { ImageModel } from "../images/model/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import { program } from "./program.ts";

/**
 * Refuses options that the model of a command does not have. `kind` says for which models they are.
 *
 * @throws ARGUMENT for the first of the options that is given.
 */
export function refuseOptions(options: Readonly<Record<string, unknown>>, kind: "images" | "tables"): void {
  const isGiven = (value: unknown) =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  const [name] = Object.entries(options).find(([, value]) => isGiven(value)) ?? [];
  if (name === undefined) return;
  const modelKind = kind === "images" ? "a table" : "images";
  throw new PushforwardError(
    "ARGUMENT",
    `--${name} is an option for ${kind}, and the model is one of ${modelKind}`,
    {
      hint: "Leave it out.",
    },
  );
}

/** The index of a class of a model. Throws `ARGUMENT` if the model has no class of this name. */
export function classIndex(model: ImageModel, name: string): number {
  const index = model.classes.indexOf(name);
  if (index >= 0) return index;
  if (model.classes.length === 0) throw noClasses("class");
  const nearest = nearestName(name, model.classes);
  throw new PushforwardError("ARGUMENT", `The model has no class "${name}"`, {
    expected: `one of ${model.classes.slice(0, 20).join(", ")}`,
    hint: nearest ? `Did you mean ${nearest}?` : "Give one of the classes that the model has learned.",
  });
}

/** The error for an option that only models with classes have. */
export const noClasses = (option: "class" | "classify"): PushforwardError =>
  new PushforwardError("ARGUMENT", "The model has no classes", {
    hint: `Leave --${option} out, or fit a model with --classes.`,
  });

/**
 * For each image, the index of its class in the classes of the model. Undefined for a model without classes.
 *
 * @throws DATA if the images have no classes, or one that the model has not learned.
 */
export function classesOfModel(
  model: ImageModel,
  images: Pick<ImageSet, "classes" | "files" | "source">,
): Int32Array | undefined {
  if (model.classes.length === 0) return undefined;
  const { classes, source } = images;
  if (!classes) {
    const what = `The images of ${source} have no classes, on which the model is conditional`;
    throw noClassesError(what, images);
  }
  const indices = classes.names.map((name) => model.classes.indexOf(name));
  const unknown = indices.indexOf(-1);
  if (unknown >= 0) {
    throw new PushforwardError("DATA", `The images of ${source} have the class ${classes.names[unknown]}`, {
      expected: `one of ${model.classes.slice(0, 20).join(", ")}`,
      hint: "Remove these images: the model has not learned this class.",
    });
  }
  return classes.indices.map((index) => indices[index]!);
}

/** Throws `ARGUMENT` for a model of images, because a command is for tables. */
export function refuseImages({ image }: LoadedModel, path: string, command: string): void {
  if (!image) return;
  throw new PushforwardError("ARGUMENT", `${path} is a model of images, and ${command} is for tables`, {
    hint: `To compute bits per dimension: ${program()} evaluate ${path} DATA`,
  });
}

/** The model of images in a model file. Throws `ARGUMENT` for a model of a table. */
export function imageModelOf(model: LoadedModel, path: string): ImageModel {
  if (model.image) return ImageModel.from(model);
  throw new PushforwardError("ARGUMENT", `${path} is the model of a table, not of images`, {
    hint: "Give a model that pushforward fit wrote for images.",
  });
}
