/** One record of a delimited text. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** Whether there is a quote in the middle of an unquoted field. */
  readonly strayQuote: boolean;
}

/** Parses delimited text (RFC 4180: quoted fields may contain delimiters, line breaks and doubled quotes). Skips empty lines. */
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

/** At most the first `maxRecords` records; for an empty text, one record with an empty field. */
export function firstRecords(text: string, delimiter: string, maxRecords: number): CsvRecord[] {
  const records: CsvRecord[] = [];
  for (const record of csvRecords(text, delimiter)) {
    records.push(record);
    if (records.length === maxRecords) break;
  }
  return records.length > 0 ? records : [{ fields: [""], strayQuote: false }];
}
