import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import * as recipes from "../../src/flows/recipes/index.ts";
import { misspelledOptions } from "./misspelledOptions.ts";
import { entryFile, entryPoints, root } from "./packed.ts";

const read = ts.getParsedCommandLineOfConfigFile(
  join(root, "tsconfig.json"),
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic({ messageText }) {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    },
  },
)!;
const files = entryPoints.map((name) => join(root, "src", entryFile(name)));
const program = ts.createProgram(files, read.options);
const checker = program.getTypeChecker();

const hasDocstring = (symbol: ts.Symbol): boolean =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== "";

/** Every exported symbol of every entry point, by name; an alias stands for what it names. */
const exported = new Map<ts.Symbol, string>();
files.forEach((file, i) => {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (!exported.has(target)) exported.set(target, `${entryPoints[i]}: ${symbol.name}`);
  }
});

const isHidden = (symbol: ts.Symbol): boolean => {
  const declaration = symbol.declarations?.[0] as ts.NamedDeclaration | undefined;
  if (!declaration) return true;
  return (
    Boolean(ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) ||
    (declaration.name !== undefined && ts.isPrivateIdentifier(declaration.name)) ||
    symbol.getJsDocTags().some(({ name }) => name === "internal")
  );
};

test("every public export has a docstring", () => {
  expect(exported.size).toBeGreaterThan(250);
  const without = [...exported].filter(([symbol]) => !hasDocstring(symbol)).map(([, name]) => name);
  expect(without).toEqual([]);
});

test("every public method, and every option, has a docstring", () => {
  const without: string[] = [];
  for (const [symbol, name] of exported) {
    for (const member of symbol.members?.values() ?? []) {
      const declaration = member.declarations?.[0];
      if (!declaration || isHidden(member)) continue;
      // The methods of a tensor are operations with the names of their formulas; docs/tensors-and-graphs.md lists them.
      if (symbol.name === "Tensor") continue;
      // The type of a scalar transform only selects the interface.
      if (member.name === "type") continue;
      const isMethod = ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration);
      const isOption = name.endsWith("Options") && ts.isPropertySignature(declaration);
      if ((isMethod || isOption) && !hasDocstring(member)) without.push(`${name}.${member.name}`);
    }
  }
  expect(without).toEqual([]);
});

/** Whether a parameter is called `options`, or has a type that is called so, and has an optional property. */
const takesOptions = (signature: ts.Signature): boolean =>
  signature.parameters.some((parameter) => {
    const type = checker.getTypeOfSymbolAtLocation(parameter, parameter.valueDeclaration!);
    const options = checker.getNonNullableType(type);
    const name = (options.aliasSymbol ?? options.symbol)?.name ?? "";
    const areOptions = parameter.name === "options" || name.endsWith("Options");
    return areOptions && options.getProperties().some(({ flags }) => flags & ts.SymbolFlags.Optional);
  });

/** The names of public functions, constructors and methods that take options. */
function namesWithOptions(): Set<string> {
  const names = new Set<string>();
  const add = (name: string, type: ts.Type, kind: "calls" | "constructs" = "calls") => {
    const signatures = kind === "calls" ? type.getCallSignatures() : type.getConstructSignatures();
    if (signatures.some(takesOptions)) names.add(name);
  };
  for (const symbol of exported.keys()) {
    const declaration = symbol.declarations![0]!;
    const type = checker.getTypeOfSymbolAtLocation(symbol, declaration);
    if (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable)) add(symbol.name, type);
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
    const isDescribed = symbol.members?.has("describe" as ts.__String);
    if (!isDescribed) add(`new ${symbol.name}`, type, "constructs");
    for (const member of [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])])
      if (member.flags & ts.SymbolFlags.Method && !isHidden(member))
        add(`${symbol.name}.${member.name}`, checker.getTypeOfSymbolAtLocation(member, declaration));
  }
  return names;
}

test("every public function with options is called with a misspelled one", () => {
  const expected = [...namesWithOptions()].filter((name) => !Object.hasOwn(recipes, name));
  expect(expected.length).toBeGreaterThan(90);
  expect(expected.filter((name) => !Object.hasOwn(misspelledOptions, name))).toEqual([]);
});

test.each(Object.entries(misspelledOptions))(
  "%s throws for a misspelled option, and suggests the right one",
  async (_, [call, suggestion]) => {
    await expect((async () => call())()).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringContaining(`(did you mean ${suggestion}?)`),
    });
  },
);
