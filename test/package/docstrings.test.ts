import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { entryPoints, root } from "./packed.ts";

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
const files = entryPoints.map((name) => join(root, name.replace("pushforward", "src"), "index.ts"));
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
      if (!declaration) continue;
      const hidden = ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private;
      if (hidden || ts.isPrivateIdentifier((declaration as ts.NamedDeclaration).name ?? declaration))
        continue;
      // The methods of a tensor are operations with the names of their formulas; docs/tensors-and-graphs.md lists them.
      if (symbol.name === "Tensor") continue;
      const isMethod = ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration);
      const isOption = name.endsWith("Options") && ts.isPropertySignature(declaration);
      if ((isMethod || isOption) && !hasDocstring(member)) without.push(`${name}.${member.name}`);
    }
  }
  expect(without).toEqual([]);
});
