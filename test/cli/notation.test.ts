import { expect, it } from "vitest";
import { workplace } from "./command.ts";

const { path, write, pushforward, failure } = workplace();
const FLOW = ["--flow", "nice", "--transforms", "1", "--hidden", "4", "--epochs", "1"];

it("reads European decimals in every command that takes a table", async () => {
  const lines = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const european = lines.map((row) => row.map((x) => x.toFixed(4).replace(".", ",")).join(":"));
  const table = write("european.csv", ["x:y", ...european, ""].join("\n"));
  const plain = write(
    "plain.csv",
    ["x,y", ...lines.map((row) => row.map((x) => x.toFixed(4)).join()), ""].join("\n"),
  );
  const notation = ["--decimal", ",", "--delimiter", ":"];
  const model = path("m.safetensors");
  const fitted = await pushforward(["fit", table, ...notation, ...FLOW, "-o", model]);
  expect(fitted.code).toBe(0);
  expect(fitted.out).toContain("score m.safetensors european.csv --decimal , --delimiter : -o scored.csv");
  const evaluated = await pushforward(["evaluate", model, table, ...notation, "--json"]);
  expect(evaluated.out).toBe((await pushforward(["evaluate", model, plain, "--json"])).out);
  // Columns of text files stay as they are.
  const scored = await pushforward(["score", model, table, ...notation, "-o", "-"]);
  expect(scored.out.split("\n")[1]).toMatch(/^"0,0000","1,0000",-?[\d.]+$/);
});

it("reads fields that a space or a tab separates", async () => {
  for (const delimiter of [" ", "\t"]) {
    const table = write("separated.csv", `x y\n${"1,5 2,5\n0,5 3,5\n".repeat(5)}`.replaceAll(" ", delimiter));
    const { out } = await pushforward(["columns", table, "--delimiter", delimiter, "--decimal", ","]);
    expect(out).toMatch(/^x .*0\.5 to 1\.5.*\ny .*2\.5 to 3\.5/m);
  }
  expect(await failure("columns", "a.csv", "--delimiter", "")).toContain("--delimiter needs a value");
});

it("suggests the option for numbers with commas", async () => {
  const table = write("commas.csv", "a;b\n1,5;1\n2,25;2\n");
  expect(await failure("fit", table, ...FLOW, "-o", path("n.safetensors"))).toMatchInlineSnapshot(`
    "2
    Error: commas.csv has a column that is not numeric: expected numbers in every column, or a choice of columns, received "a" ('1,5' in row 1).
    For decimal commas, use --decimal ",". Choose among the numeric columns: --columns b"
  `);
});

it("refuses a column whose points are neither all decimal ones nor all between thousands", async () => {
  const table = write("points.csv", "a;b;c\n1.234,5;0.801;2.50\n2,25;-2.928;1.5\n3;1.234;0.25\n");
  expect(await failure("columns", table, "--decimal", ",")).toMatchInlineSnapshot(`
    "2
    Error: The column "b" of points.csv has numbers with decimal points: expected decimal commas, and points only between thousands, received 0.801, and also -2.928, which would be read without its point.
    Leave out --decimal ",", or write all columns with the same decimal separator."
  `);
  const first = write("first.csv", "a;b\n1,5;2,5\n");
  const second = write("second.csv", "a;b\n1,5;0.801\n2,5;-2.928\n3,5;1.234\n");
  const several = await failure("columns", first, second, "--decimal", ",");
  expect(several).not.toContain("of first.csv has");
  expect(several).toContain("(and 1 more) has numbers with decimal points");
  const mixed = write("mixed.csv", "a;b\n7.100,5;1\n12.5;2\n");
  expect(await failure("columns", mixed, "--decimal", ",")).toContain(
    "received 12.5, and also 7.100,5, which would be read without its point",
  );
  const clear = write("clear.csv", "a;b\n1.234,5;2.50\n2,25;1.5\n12.345.678;0.25\n");
  const { out } = await pushforward(["columns", clear, "--decimal", ",", "--json"]);
  expect(out).toContain("2.25 to 12345678");
  expect(out).toContain("0.25 to 2.5");
});

it("leaves text with points and commas as it is beside decimal commas", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${["1.234", "A-1", "1,5", "B"][i % 4]};${i},5`);
  const table = write("codes.csv", `code;x\n${rows.join("\n")}\n`);
  const { out } = await pushforward(["columns", table, "--decimal", ","]);
  expect(out).toMatch(/^code .* 1,5, 1\.234, A-1, B$/m);
  expect(out).toMatch(/^x .* 0\.5 to 39\.5/m);
});
