import type { Locator, Page } from "playwright-core";
import { encodeModel, forTables, maf } from "pushforward";
import type { ModelColumn } from "../app/model/messages.ts";

/** A column of a model, whose values are not equally spaced. */
export const column = (name: string, kind: ModelColumn["kind"], labels: ModelColumn["labels"] = []) => ({
  name,
  kind,
  labels,
  lattice: undefined,
});

/** Opens the file of a flow over the columns a and b in the page "Model". Returns the bytes of the file, and the input for more files. */
export async function openNumberModel(page: Page): Promise<{ bytes: Buffer; input: Locator }> {
  const flow = forTables(maf(2, { transforms: 1, hidden: [4] }));
  const bytes = Buffer.from(encodeModel({ flow, columns: ["a", "b"] }));
  const input = page.locator("input[type=file]");
  await input.setInputFiles({ name: "flow.safetensors", mimeType: "", buffer: bytes });
  await page.getByText("2 columns").waitFor();
  return { bytes, input };
}
