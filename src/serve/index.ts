/** What a server does with a model of any kind. */

export { operationsOf, type Row, type ServedColumn, type ServedModel, servedModel } from "./servedModel.ts";
export { studioBuild } from "./studioBuild.ts";
