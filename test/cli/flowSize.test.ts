import { expect, it } from "vitest";
import { EARTHQUAKES, workplace } from "./command.ts";

const { failure, path } = workplace();

it("refuses flows that are too large for memory, with their size", async () => {
  const fit = ["fit", EARTHQUAKES, "-o", path("large.safetensors"), "--flow"];
  expect(await failure(...fit, "nsf", "--hidden", "100000,100000")).toMatchInlineSnapshot(`
    "2
    Error: The flow would be too large: expected at most 100,000,000 parameters, received about 50,000,000,000, which need 2,000 GB in training.
    Lower --hidden or --transforms."
  `);
  expect(await failure(...fit, "maf", "--transforms", "1000000")).toMatchInlineSnapshot(`
    "2
    Error: The flow would be too large: expected at most 100,000,000 parameters, received about 5,000,000,000, which need 200 GB in training.
    Lower --hidden or --transforms."
  `);
});
