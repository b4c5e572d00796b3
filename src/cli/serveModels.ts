import { basename } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { importOptional, SERVER } from "../package/index.ts";
import { type ServedModel, servedModel } from "../serve/index.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { type Io, interruption } from "./io.ts";
import { Messages } from "./messages.ts";
import { readModel } from "./model.ts";

interface Values extends EngineValues {
  readonly models: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Further connections are closed. */
const MAX_CONNECTIONS = 4096;
/** The bodies of all connections could otherwise need 41 GB with the default of --max-bytes. */
const MAX_BYTES_IN_FLIGHT = 256_000_000;

/** Serves models until the command is interrupted. */
export async function serveModels(values: Values, io: Io): Promise<void> {
  const { listen } = await importOptional(SERVER, () => import("../serve/http/index.ts"));
  const { serveApp } = await importOptional(SERVER, () => import("../serve/http/index.ts"));
  const models = new Map<string, ServedModel>();
  for (const path of values.models) {
    const name = basename(path).replace(/\.safetensors$/, "");
    if (models.has(name)) {
      throw new PushforwardError("ARGUMENT", `two models have the name ${name}`, {
        hint: "Rename one of the files.",
      });
    }
    models.set(name, servedModel(await readModel(path), engineOf(values)));
  }
  const { host, port, maxRows: rows, maxBytes: bytes } = values;
  const app = serveApp(models, { rows, bytes, bytesInFlight: Math.max(MAX_BYTES_IN_FLIGHT, bytes) });
  const server = await listen(app, { host, port, connections: MAX_CONNECTIONS });
  io.onStopMessage?.({
    what: "The server has stopped, although some requests had no answer yet",
    hint: "Send them again when it runs.",
  });
  new Messages(io).print(`Serving ${[...models.keys()].join(", ")} at ${server.url}`);
  await interruption(io);
  await server.close();
  for (const model of models.values()) await model.release();
}
