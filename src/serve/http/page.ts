import { html } from "hono/html";
import type { ServedModel } from "../index.ts";

/** A page in which users try the models. `html` escapes the names of the models. */
export function page(models: ReadonlyMap<string, ServedModel>) {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>pushforward</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
  textarea { box-sizing: border-box; width: 100%; height: 12rem; font: 14px/1.4 ui-monospace, monospace; }
  pre { overflow: auto; max-height: 24rem; background: #f4f4f4; padding: 0.5rem; font-size: 14px; }
  button, select { font: inherit; margin-right: 0.5rem; }
</style>
<h1>pushforward</h1>
<p>
  <label>Model <select id="model">${Array.from(models.keys(), (name) => html`<option>${name}</option>`)}</select></label>
  <button id="sample">Draw rows</button><button id="score">Score</button><button id="impute">Impute</button><button id="anomalies">Anomalies</button>
</p>
<p><label>Rows, in JSON <textarea id="rows" spellcheck="false">[]</textarea></label></p>
<pre id="answer" aria-live="polite"></pre>
<p><a href="openapi.json">OpenAPI</a> · <a href="models">Columns</a></p>
<script type="module" src="page.js"></script>
</html>
`;
}

/** The script of the page: a button sends the rows in the text field, and drawn rows are written into the field. */
export const PAGE_SCRIPT = `const element = (id) => document.getElementById(id);
const show = (value) => { element("answer").textContent = JSON.stringify(value, null, 1); };
async function send(operation, body) {
  const path = "models/" + encodeURIComponent(element("model").value) + "/" + operation;
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  show(answer);
  return response.ok ? answer : undefined;
}
async function withRows(operation) {
  try {
    return await send(operation, { rows: JSON.parse(element("rows").value) });
  } catch (error) {
    show({ error: String(error) });
  }
}
element("sample").onclick = async () => {
  const answer = await send("sample", { rows: 3, seed: Math.floor(Math.random() * 1e6) });
  if (answer) element("rows").value = JSON.stringify(answer.rows, null, 1);
};
element("score").onclick = () => withRows("score");
element("impute").onclick = () => withRows("impute");
element("anomalies").onclick = () => withRows("anomalies");
`;
