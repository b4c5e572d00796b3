import { bijectionRegistry, scalarTransformRegistry } from "../../bijections/index.ts";
import { checkOptions } from "../../check/index.ts";
import { distributionRegistry } from "../../distributions/index.ts";
import { type KindOptions, kindRules } from "../../flows/index.ts";
import { parseContainer, readModel } from "../../model/index.ts";
import { fileBytes } from "../../parts/index.ts";
import { loadOnDemand } from "../densities/index.ts";
import type { LoadedModel } from "./loadedModel.ts";

/**
 * Reads a model file. It runs no code from the file, and checks everything in it. Time and memory are bounded by the size of
 * the file, whatever the description says. `kinds` builds the parts that are custom classes.
 *
 * Throws `ARGUMENT` for anything but bytes, `MODEL` for a file that is damaged, of another program or of another version, and for arrays
 * that are missing, of a wrong shape, or outside of the domain of their parameter.
 */
export async function decodeModel(
  bytes: Uint8Array | ArrayBuffer,
  options: KindOptions = {},
): Promise<LoadedModel> {
  checkOptions("decodeModel", options, kindRules);
  const { kinds = [] } = options;
  const container = parseContainer(fileBytes(bytes, "decodeModel"));
  const description = container.description as { flow?: unknown; table?: unknown } | null;
  if (kinds.length > 0 || hasOtherKinds(description?.flow)) {
    const { registerTableDensities } = await loadOnDemand();
    registerTableDensities();
  }
  // The reader is loaded on demand, like kinds, because a page that scores rows of numbers does not need it.
  const tableReader = description?.table === undefined ? undefined : await import("./tableReader.ts");
  return readModel(container, kinds, tableReader);
}

/** Whether the description of a flow has a type that is not registered yet. `parseContainer` has limited its size. */
function hasOtherKinds(description: unknown): boolean {
  if (typeof description !== "object" || description === null) return false;
  const { type } = description as { type?: unknown };
  const isOther =
    typeof type === "string" &&
    ![bijectionRegistry, distributionRegistry, scalarTransformRegistry].some((registry) =>
      registry.has(type),
    );
  return isOther || Object.values(description).some(hasOtherKinds);
}
