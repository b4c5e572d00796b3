import type { TableRow } from "pushforward";
import { RequestClient } from "../engine/requests.ts";
import { latestOnly } from "../latestOnly.ts";
import { type Axis, axisOf } from "./axis.ts";
import type { ModelRequests, OpenedModel, OpenedTable, UnusualRows, Value } from "./messages.ts";

/** The number of generated rows that the figures show. */
const GENERATED_ROWS = 800;
const UNUSUAL_ROWS = 10;

/** The state of the page of a trained model. */
export class Explorer {
  model = $state.raw<OpenedModel & { readonly name: string }>();
  table = $state.raw<OpenedTable & { readonly name: string }>();
  /** Rows that the model has generated, given the values of `given`. */
  generated = $state.raw<readonly TableRow[]>([]);
  given = $state.raw<Readonly<Record<string, Value>>>({});
  unusual = $state.raw<UnusualRows>();
  /** The index of the row of the table that the reader has selected. */
  selected = $state<number>();
  /** The columns of the figures. */
  pair = $state.raw<readonly [string, string]>(["", ""]);
  error = $state<string>();
  /** A description of what the worker computes at the moment. */
  activity = $state<string>();

  /** Generated rows without given values. If there is no table, they determine the axes. */
  private unconditional = $state.raw<readonly TableRow[]>([]);
  readonly axes: ReadonlyMap<string, Axis> = $derived.by(() => {
    const rows = this.table?.rows ?? this.unconditional;
    return new Map(this.model?.columns.map((column) => [column.name, axisOf(column, rows)]));
  });

  private readonly worker = new RequestClient<ModelRequests>(
    new Worker(new URL("./model.worker.ts", import.meta.url), { type: "module" }),
  );

  close(): void {
    this.worker.stop();
  }

  /** Opens a model file or a table, by the content of the file. `total` is the number of rows of the table of which the file is a sample. */
  async openFile(name: string, file: Blob, total?: number): Promise<void> {
    const start = new Uint8Array(await file.slice(0, 9).arrayBuffer());
    // A safetensors file begins with the length of its description in eight bytes and then a brace.
    if (start[8] === 0x7b && start[7] === 0)
      await this.openModel(name, new Uint8Array(await file.arrayBuffer()));
    else await this.openTable(name, file, total);
  }

  private async openModel(name: string, bytes: Uint8Array): Promise<void> {
    await this.attempt("Opening the model", async () => {
      const opened = await this.worker.request("model", { bytes });
      const unconditional = await this.sample({});
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

  private async openTable(name: string, file: Blob, total: number | undefined): Promise<void> {
    await this.attempt("Reading the table", async () => {
      const table = await this.worker.request("table", { file, total });
      this.unusual = undefined;
      this.selected = undefined;
      this.table = { ...table, name };
    });
  }

  /** Gives a value to a column; undefined removes the value. */
  async give(column: string, value: Value | undefined): Promise<void> {
    const { [column]: _, ...others } = this.given;
    this.given = value === undefined ? others : { ...others, [column]: value };
    await this.drawRows(this.given);
  }

  private readonly drawRows = latestOnly((given: Readonly<Record<string, Value>>) =>
    this.attempt("Drawing rows", async () => {
      this.generated = await this.sample(given);
    }),
  );

  private sample(given: Readonly<Record<string, Value>>): Promise<readonly TableRow[]> {
    return this.worker.request("sample", { count: GENERATED_ROWS, seed: 0, given });
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
