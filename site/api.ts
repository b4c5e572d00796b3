import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, type TypeDocOptions } from "typedoc";
import type { PluginOptions } from "typedoc-plugin-markdown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The names of the package's entry points, such as "flows", and their files. The main entry point has the name "pushforward". */
export function entryPoints(): { name: string; file: string }[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.keys(exports)
    .filter((key) => !key.endsWith(".json"))
    .map((key) => (key === "." ? "" : key.slice(2)))
    .map((name) => ({
      name: name || "pushforward",
      file: join(root, "src", name ? `public/${name}.ts` : "index.ts"),
    }));
}

/** Writes the reference as pages of Markdown: one for each entry point, and one for each of its members. */
export async function writeReference(folder: string): Promise<void> {
  const options: TypeDocOptions & PluginOptions = {
    entryPoints: entryPoints().map(({ file }) => file),
    tsconfig: join(root, "tsconfig.build.json"),
    plugin: ["typedoc-plugin-markdown"],
    out: folder,
    name: "API reference",
    readme: "none",
    entryFileName: "index",
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    disableSources: true,
    hidePageHeader: true,
    hideBreadcrumbs: true,
    useCodeBlocks: true,
    indexFormat: "table",
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    classPropertiesFormat: "table",
    typeDeclarationFormat: "table",
    tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true, hideModifiers: true },
    // Types that only describe the shape of a schema are not public.
    validation: { notExported: false, invalidLink: true, rewrittenLink: true, invalidPath: true },
    logLevel: "Warn",
  };
  const application = await Application.bootstrapWithPlugins(options);
  const project = await application.convert();
  if (!project) throw new Error("The API reference could not be made: see the errors above.");
  for (const module of project.children ?? []) if (module.name === "index") module.name = "pushforward";
  await application.generateOutputs(project);
  if (application.logger.hasErrors()) throw new Error("The API reference has errors: see above.");
}
