import { PushforwardError } from "../check/index.ts";
import { readBytes } from "../files/index.ts";
import { withJsonValues } from "../tables/columns/index.ts";
import { formatOf } from "../tables/io/index.ts";
import { decodeModel, type LoadedModel } from "../tables/model/index.ts";
import { withPath } from "./failure.ts";

/**
 * Reads a model file.
 *
 * @throws FILE when it cannot be read; MODEL, with the path, when it is damaged, of another program or another version.
 */
export async function readModel(path: string): Promise<LoadedModel> {
  try {
    const model = await decodeModel(await readBytes(path));
    return { ...model, ...(model.table && { table: withJsonValues(model.table) }) };
  } catch (error) {
    if (formatOf(path) && error instanceof PushforwardError && error.code === "MODEL") {
      throw new PushforwardError("MODEL", `${path} is a table, not a model`, {
        hint: "Give the model first, then the table.",
        cause: error,
      });
    }
    throw withPath(error, path);
  }
}
