import type { TableRow } from "pushforward";
import { RequestClient } from "../engine/requests.ts";
import { latestOnly } from "../latestOnly.ts";
import { type Axis, axisOf } from "./axis.ts";
import type { Anomalies, ModelRequests, OpenedModel, OpenedTable, Value } from "./messages.ts";

/** The number of generated rows that the figures show. */
const GENERATED_ROWS = 800;
const SHOWN_ANOMALIES = 10;

/** A file to open. */
export interface NamedFile {
  /** The name or the address of the file, shown while it is opened. */
  readonly label: string;
  /** Loads the file. `total` is the number of rows of the table of which it is a sample. */
  load(): Promise<{ readonly name: string; readonly file: Blob; readonly total?: number | undefined }>;
}

/** The state of the page of a trained model. */
export class Explorer {
  model = $state.raw<OpenedModel & { readonly name: string }>();
  table = $state.raw<OpenedTable & { readonly name: string }>();
  /** Rows that the model has generated, given the values of `given`. */
  generated = $state.raw<readonly TableRow[]>([]);
  given = $state.raw<Readonly<Record<string, Value>>>({});
  anomalies = $state.raw<Anomalies>();
  /** The index of the row of the table that the reader has selected. */
  selected = $state<number>();
  /** The columns of the figures. */
  pair = $state.raw<readonly [string, string]>(["", ""]);
  error = $state<string>();
  /** The addresses of the files of the latest link. */
  private linked: readonly string[] | undefined;
  private activities = $state.raw<readonly string[]>([]);

  /** Generated rows without given values. If there is no table, they determine the axes. */
  private unconditional = $state.raw<readonly TableRow[]>([]);
  readonly axes: ReadonlyMap<string, Axis> = $derived.by(() => {
    const rows = this.table?.rows ?? this.unconditional;
    return new Map(this.model?.columns.map((column) => [column.name, axisOf(column, rows)]));
  });

  private readonly worker = new RequestClient<ModelRequests>(
    new Worker(new URL("./model.worker.ts", import.meta.url), { type: "module" }),
  );

  /** A description of the latest action that has not ended. */
  get activity(): string | undefined {
    return this.activities.at(-1);
  }

  /** Opens the files of a link, unless they are those of the latest one. `fileAt` is the file at an address. */
  async openOnce(addresses: readonly string[], fileAt: (address: string) => NamedFile): Promise<void> {
    if (addresses === this.linked) return;
    this.linked = addresses;
    await this.open(addresses.map(fileAt));
  }

  /**
   * Opens model files and tables in their order, until one cannot be opened. Their content says which of both they are. A table is
   * opened with the model before it.
   */
  async open(files: readonly NamedFile[]): Promise<void> {
    for (const { label, load } of files) {
      const isOpen = await this.attempt(`Opening ${label}`, async () => {
        const { name, file, total } = await load();
        const start = new Uint8Array(await file.slice(0, 9).arrayBuffer());
        // A safetensors file begins with the length of its description in eight bytes and then a brace.
        if (start[8] === 0x7b && start[7] === 0)
          await this.openModel(name, new Uint8Array(await file.arrayBuffer()));
        else await this.openTable(name, file, total);
      });
      if (!isOpen) return;
    }
  }

  private async openModel(name: string, bytes: Uint8Array): Promise<void> {
    // Both requests are sent at once, so that none for the previous model comes between them.
    const [opened, unconditional] = await Promise.all([
      this.worker.request("model", { bytes }),
      this.sample({}),
    ]);
    const names = opened.columns.map((column) => column.name);
    this.table = undefined;
    this.anomalies = undefined;
    this.selected = undefined;
    this.given = {};
    this.unconditional = unconditional;
    this.generated = unconditional;
    this.pair = [names[0]!, names[1] ?? names[0]!];
    this.model = { ...opened, name };
  }

  private async openTable(name: string, file: Blob, total: number | undefined): Promise<void> {
    const table = await this.worker.request("table", { file, total });
    this.anomalies = undefined;
    this.selected = undefined;
    this.table = { ...table, name };
  }

  /** Gives a value to a column; undefined removes the value. */
  async give(column: string, value: Value | undefined): Promise<void> {
    const { [column]: _, ...others } = this.given;
    this.given = value === undefined ? others : { ...others, [column]: value };
    await this.drawRows();
  }

  private readonly drawRows = latestOnly<void>(async () => {
    await this.attempt("Drawing rows", async () => {
      const { model, given } = this;
      const rows = await this.sample(given);
      if (model === this.model) this.generated = rows;
    });
  });

  private sample(given: Readonly<Record<string, Value>>): Promise<readonly TableRow[]> {
    return this.worker.request("sample", { count: GENERATED_ROWS, seed: 0, given });
  }

  async findAnomalies(): Promise<void> {
    await this.attempt("Scoring the rows and explaining the anomalies", async () => {
      this.anomalies = await this.worker.request("anomalies", { count: SHOWN_ANOMALIES });
    });
  }

  /** Selects a row of the table, and shows the columns that make it unusual. */
  select(row: number, columns: readonly string[]): void {
    this.selected = row;
    const [first, second] = columns;
    const other = this.pair.find((name) => name !== first) ?? first!;
    if (first) this.pair = [first, second ?? other];
  }

  /**
   * Shows an activity until `act` ends, and then its error, unless the model has been replaced in the meantime. Returns whether `act`
   * succeeded.
   */
  private async attempt(activity: string, act: () => Promise<void>): Promise<boolean> {
    const { model } = this;
    this.error = undefined;
    this.activities = [...this.activities, activity];
    try {
      await act();
      return true;
    } catch (error) {
      if (model === this.model) this.error = (error as Error).message;
      return false;
    } finally {
      this.activities = this.activities.toSpliced(this.activities.indexOf(activity), 1);
    }
  }
}
