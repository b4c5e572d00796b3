import { basename } from "node:path";
import { readBytes } from "../files/index.ts";
import { importOptional, SERVER } from "../package/index.ts";
import type { StudioFile } from "../serve/http/index.ts";
import { csvSample, openTable, type TableOptions } from "../tables/io/index.ts";
import { type Io, interruption } from "./io.ts";
import { Messages } from "./messages.ts";
import { readModel } from "./model.ts";

interface Values extends Pick<TableOptions, "na" | "decimal" | "delimiter"> {
  readonly model: string | undefined;
  readonly data: string | undefined;
  readonly port: number;
}

/** Only this machine can reach the page: the files that it opens may be private. */
const HOST = "127.0.0.1";
const MAX_CONNECTIONS = 256;
/** The page looks at this many rows at most. It computes their numbers in the table by the formula of `csvSample`. */
const MAX_ROWS = 5000;

/** Serves the studio, with a model and a table to open, until the command is interrupted. */
export async function openStudio({ model, data, port, ...reading }: Values, io: Io): Promise<void> {
  const { listen } = await importOptional(SERVER, () => import("../serve/http/index.ts"));
  const { openingFragment, studioApp } = await importOptional(SERVER, () => import("../serve/http/index.ts"));
  const { studioBuild } = await import("../serve/index.ts");
  const build = await studioBuild();
  const files: StudioFile[] = [];
  if (model !== undefined) {
    // A file that is not a model is an error here, and not only in the page.
    await readModel(model);
    files.push({ name: basename(model), bytes: Uint8Array.from(await readBytes(model)) });
  }
  if (data !== undefined) files.push(await tableFile(data, reading, io));
  const server = await listen(studioApp(build, files), { host: HOST, port, connections: MAX_CONNECTIONS });
  new Messages(io).print(`The studio is at ${server.url}${openingFragment(files)}`);
  await interruption(io);
  await server.close();
}

/** The rows of a table as a file in CSV, which the page reads. */
async function tableFile(
  data: string,
  reading: Pick<TableOptions, "na" | "decimal" | "delimiter">,
  { interrupted }: Io,
): Promise<StudioFile> {
  const table = await openTable(data, { ...reading, signal: interrupted });
  try {
    const name = table.source === data ? basename(data) : table.source;
    return {
      name: `${name.replace(/\.\w+$/, "")}.csv`,
      bytes: await csvSample(table, MAX_ROWS),
      tableRows: table.rows,
    };
  } finally {
    await table.close();
  }
}
