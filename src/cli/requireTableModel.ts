import { PushforwardError } from "../check/index.ts";
import type { LoadedModel, TableModel } from "../tables/model/index.ts";
import { refuseImages } from "./imageModels.ts";
import type { Messages } from "./messages.ts";
import { program } from "./program.ts";

/** Returns the model if any of its columns can be conditional on any others, which `command` needs. Throws `ARGUMENT` for another model. */
export function requireTableModel(model: LoadedModel, path: string, command: string): LoadedModel {
  refuseImages(model, path, command);
  if (model.table && model.given.length === 0) return model;
  const fitted = model.given.length > 0 ? "fitted with --given" : "a single flow of numeric columns";
  throw new PushforwardError("ARGUMENT", `pushforward ${command} needs a default model`, {
    expected: "a model fitted without --flow and --given",
    received: `${path}, ${fitted}`,
    hint: `Fit one: ${program()} fit DATA`,
  });
}

/** Prints the total weight of the members that have exact conditional distributions, if other members have weight too. */
export function noteMembersUsed(model: TableModel, messages: Messages): void {
  const share = model.conditionalShare;
  if (share > 0.999) return;
  messages.print(
    `Only the members with exact conditional distributions are used here: ${Math.round(100 * share)}% of the weight of the model.`,
  );
}
