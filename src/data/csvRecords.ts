/** One record of a delimited text. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Whether a quote stands in the middle of a field, where it does not quote. */
  readonly strayQuote: boolean;
}

/** The records of a text (RFC 4180: quotes may hold delimiters, line breaks and doubled quotes), without empty lines. */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  let fields: string[] = [];
  let field = "";
  let strayQuote = false;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else quoted = false;
    } else if (character === '"' && field === "") quoted = true;
    else if (character === "\n" || character === "\r") {
      if (fields.length > 0 || field !== "") yield { fields: [...fields, field], strayQuote };
      fields = [];
      field = "";
      strayQuote = false;
    } else if (character === delimiter) {
      fields.push(field);
      field = "";
    } else {
      field += character;
      strayQuote ||= character === '"';
    }
  }
  if (fields.length > 0 || field !== "") yield { fields: [...fields, field], strayQuote };
}

/** The fields of the first record. */
export const firstRecord = (text: string, delimiter: string): readonly string[] =>
  csvRecords(text, delimiter).next().value?.fields ?? [""];

/** The first `max` records; one empty record where there is none. */
export function firstRecords(text: string, delimiter: string, max: number): CsvRecord[] {
  const found: CsvRecord[] = [];
  for (const record of csvRecords(text, delimiter)) {
    found.push(record);
    if (found.length === max) break;
  }
  return found.length > 0 ? found : [{ fields: [""], strayQuote: false }];
}
