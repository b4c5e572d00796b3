import type { TableRow } from "pushforward";
import { RequestClient } from "../engine/requests.ts";
import { type Axis, axisOf } from "./axis.ts";
import type { ModelRequests, OpenedModel, OpenedTable, UnusualRows, Value } from "./messages.ts";

/** Generated rows in each figure. */
const GENERATED_ROWS = 800;
const UNUSUAL_ROWS = 10;

/** The state of the page of a trained model. */
export class Explorer {
  model = $state.raw<OpenedModel & { readonly name: string }>();
  table = $state.raw<OpenedTable & { readonly name: string }>();
  /** Rows of the model, given the values below. */
  generated = $state.raw<readonly TableRow[]>([]);
  given = $state.raw<Readonly<Record<string, Value>>>({});
  unusual = $state.raw<UnusualRows>();
  /** The index of the row of the table that the reader has selected. */
  selected = $state<number>();
  /** The columns of the figures. */
  pair = $state.raw<readonly [string, string]>(["", ""]);
  error = $state<string>();
  /** What the worker computes, in words. */
  activity = $state<string>();

  /** Rows without given values: if there is no table, they determine the axes. */
  private unconditional = $state.raw<readonly TableRow[]>([]);
  readonly axes: ReadonlyMap<string, Axis> = $derived.by(() => {
    const rows = this.table?.rows ?? this.unconditional;
    return new Map(this.model?.columns.map((column) => [column.name, axisOf(column, rows)]));
  });

  private readonly worker = new RequestClient<ModelRequests>(
    new Worker(new URL("./model.worker.ts", import.meta.url), { type: "module" }),
  );
  private isSampling = false;

  close(): void {
    this.worker.stop();
  }

  /** Opens a model file or a table, by the content of the file. */
  async openFile(name: string, bytes: Uint8Array): Promise<void> {
    // A safetensors file begins with the length of its description in eight bytes and then a brace.
    if (bytes[8] === 0x7b && bytes[7] === 0) await this.openModel(name, bytes);
    else await this.openTable(name, new TextDecoder().decode(bytes));
  }

  private async openModel(name: string, bytes: Uint8Array): Promise<void> {
    await this.attempt("Opening the model", async () => {
      const opened = await this.worker.request("model", { bytes });
      const unconditional = await this.worker.request("sample", {
        count: GENERATED_ROWS,
        seed: 0,
        given: {},
      });
      const names = opened.columns.map((column) => column.name);
      this.table = undefined;
      this.unusual = undefined;
      this.selected = undefined;
      this.given = {};
      this.unconditional = unconditional;
      this.generated = unconditional;
      this.pair = [names[0]!, names[1] ?? names[0]!];
      this.model = { ...opened, name };
    });
  }

  private async openTable(name: string, text: string): Promise<void> {
    await this.attempt("Reading the table", async () => {
      const table = await this.worker.request("table", { text });
      this.unusual = undefined;
      this.selected = undefined;
      this.table = { ...table, name };
    });
  }

  /** Gives a column a value; undefined takes it away. */
  async give(column: string, value: Value | undefined): Promise<void> {
    const { [column]: _, ...others } = this.given;
    this.given = value === undefined ? others : { ...others, [column]: value };
    if (this.isSampling) return;
    this.isSampling = true;
    await this.attempt("Drawing rows", async () => {
      // While rows are drawn, only the latest values wait.
      for (let drawn: unknown; drawn !== this.given; ) {
        const { given } = this;
        drawn = given;
        this.generated = await this.worker.request("sample", { count: GENERATED_ROWS, seed: 0, given });
      }
    });
    this.isSampling = false;
  }

  async findUnusual(): Promise<void> {
    await this.attempt("Scoring the rows and explaining the most unusual ones", async () => {
      this.unusual = await this.worker.request("unusual", { count: UNUSUAL_ROWS });
    });
  }

  /** Selects a row of the table, and shows the columns that make it unusual. */
  select(row: number, columns: readonly string[]): void {
    this.selected = row;
    const [first, second] = columns;
    const other = this.pair.find((name) => name !== first) ?? first!;
    if (first) this.pair = [first, second ?? other];
  }

  private async attempt(activity: string, act: () => Promise<void>): Promise<void> {
    this.error = undefined;
    this.activity = activity;
    try {
      await act();
    } catch (error) {
      this.error = (error as Error).message;
    } finally {
      this.activity = undefined;
    }
  }
}
