import type { Dataset } from "./dataset.ts";
import { InMemoryDataset } from "./inMemoryDataset.ts";
import { StreamedDataset } from "./streamedDataset.ts";

export const isDataset = (data: unknown): data is Dataset =>
  data instanceof InMemoryDataset || data instanceof StreamedDataset;
