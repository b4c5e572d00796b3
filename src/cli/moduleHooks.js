// @ts-check
// Plain JavaScript, in the sources as in the package, because Node loads it in a separate thread, where nothing compiles TypeScript.
import { readFile } from "node:fs/promises";

/**
 * The folder of this package's modules and the ending of their names, and the package that compiles TypeScript, if Node does not.
 *
 * @type {{ root: string, extension: string, compiler?: { name: string, url: string } }}
 */
let settings;

/** @param {typeof settings} data */
export function initialize(data) {
  settings = data;
}

/**
 * `pushforward` and `pushforward/NAME` are this package from wherever they are imported, so that the command and the program have the
 * same classes, and a program needs no installation beside it.
 *
 * @type {import("node:module").ResolveHook}
 */
export function resolve(specifier, context, next) {
  const [name, entry] = /^pushforward(?:\/([a-z]+))?$/.exec(specifier) ?? [];
  if (name === undefined) return next(specifier, context);
  return next(`${settings.root}${entry === undefined ? "" : `${entry}/`}index${settings.extension}`, context);
}

/**
 * Compiles TypeScript outside of this package.
 *
 * @type {import("node:module").LoadHook}
 */
export async function load(url, context, next) {
  const { compiler, root } = settings;
  const isTypeScript = url.startsWith("file:") && /\.m?ts$/.test(url);
  if (!compiler || !isTypeScript || url.startsWith(root) || url.includes("/node_modules/"))
    return next(url, context);
  const source = await readFile(new URL(url), "utf8");
  const { default: module } = await import(compiler.url);
  return { format: "module", source: await compile(compiler.name, module, source, url), shortCircuit: true };
}

/**
 * @param {string} name
 * @param {any} module
 * @param {string} source
 * @param {string} url
 * @returns {Promise<string>}
 */
async function compile(name, module, source, url) {
  if (name === "esbuild") {
    const options = { loader: "ts", format: "esm", target: "es2022", sourcefile: url, sourcemap: "inline" };
    return (await module.transform(source, options)).code;
  }
  const compilerOptions = {
    module: module.ModuleKind.ESNext,
    target: module.ScriptTarget.ES2022,
    inlineSourceMap: true,
  };
  return module.transpileModule(source, { fileName: url, compilerOptions }).outputText;
}
