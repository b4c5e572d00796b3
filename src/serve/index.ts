/** What a server does with a model of any kind, and the files of the studio. */

export { operationsOf, type Row, type ServedColumn, type ServedModel, servedModel } from "./servedModel.ts";
export { studioBuild } from "./studioBuild.ts";
