import { isParquet } from "./parquet/isParquet.ts";
import { openParquet } from "./parquet/parquetTable.ts";
import { MIN_POINTS } from "./setting.ts";
import { MAX_TABLE_ROWS, type NumberTable, parseTable, type TablePoints } from "./table.ts";

/** The table that the reader has pasted or opened. It is kept while the reader visits other pages. */
export class ReaderTable {
  /** The pasted text. */
  text = $state("");
  table = $state.raw<NumberTable>();
  /** The indices of the columns for x and y. */
  columns = $state<readonly [number, number]>([0, 1]);
  problem = $state<string>();
  private points = $state.raw<TablePoints>();
  /** The name of the file; undefined for a pasted table. */
  private name = $state<string>();
  private attempts = 0;
  private readonly onPoints: (values: readonly number[]) => void;

  /** `onPoints` is called with the points of the columns that the reader chooses. */
  constructor(onPoints: (values: readonly number[]) => void) {
    this.onPoints = onPoints;
  }

  async paste(text: string): Promise<void> {
    this.text = text;
    if (text.trim() !== "") await this.open(undefined, () => parseTable(text));
  }

  async openFile(file: File): Promise<void> {
    await this.open(file.name, async () =>
      (await isParquet(file)) ? openParquet(file) : parseTable(await file.text()),
    );
  }

  private async open(
    name: string | undefined,
    read: () => NumberTable | Promise<NumberTable>,
  ): Promise<void> {
    this.name = name;
    this.table = undefined;
    await this.attempt(async (isLatest) => {
      const opened = await read();
      if (!isLatest()) return;
      this.table = opened;
      await this.choose([0, 1]);
    });
  }

  /** Uses the points of two columns. */
  async choose(columns: readonly [number, number]): Promise<void> {
    this.columns = columns;
    await this.attempt(async (isLatest) => {
      const points = await this.table!.points(...columns);
      if (!isLatest()) return;
      this.points = points;
      if (points.rows < MIN_POINTS)
        throw new Error(
          `There are ${points.rows} rows of numbers in these columns; a flow needs at least ${MIN_POINTS}.`,
        );
      this.onPoints(points.values);
    });
  }

  /** Reads a table or its columns. `isLatest` says whether the reader has asked for nothing else since. */
  private async attempt(act: (isLatest: () => boolean) => Promise<void>): Promise<void> {
    const number = ++this.attempts;
    const isLatest = () => number === this.attempts;
    this.problem = undefined;
    try {
      await act(isLatest);
    } catch (error) {
      if (isLatest()) this.problem = `${this.name ? `${this.name}: ` : ""}${(error as Error).message}`;
    }
  }

  /** How many rows are used, and how many are left out. */
  get notes(): string {
    const { points, name } = this;
    if (!points) return "";
    return [
      `${points.rows} rows${name ? ` of ${name}` : ""}`,
      points.rows > MAX_TABLE_ROWS ? `${MAX_TABLE_ROWS} of them are used, evenly spaced` : undefined,
      points.skipped ? `${points.skipped} rows without two numbers are left out` : undefined,
    ]
      .filter(Boolean)
      .join(", ");
  }
}
