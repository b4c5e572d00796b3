import { type ServeLimits, serveApp } from "./app.ts";
import { type ListenOptions, listen, type RunningServer } from "./listen.ts";
import type { ServedModel } from "./servedModel.ts";

/** Options of `startServer`. */
interface ServeOptions extends ServeLimits, ListenOptions {}

/** Starts a server of models by their names. Throws `ARGUMENT` if it cannot listen there. */
export const startServer = (
  models: ReadonlyMap<string, ServedModel>,
  { host, port, connections, ...limits }: ServeOptions,
): Promise<RunningServer> => listen(serveApp(models, limits), { host, port, connections });
