/** One record of a delimited text. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** For each field, how many of its first characters were in quotes. */
  readonly quotedLengths: readonly number[];
  /** Whether there is a quote in the middle of an unquoted field. */
  readonly strayQuote: boolean;
}

/** Parses delimited text (RFC 4180: quoted fields may contain delimiters, line breaks and doubled quotes). Skips empty lines. */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  let fields: string[] = [];
  let quotedLengths: number[] = [];
  let field = "";
  let quotedLength = 0;
  let strayQuote = false;
  let quoted = false;
  const record = (): CsvRecord => ({
    fields: [...fields, field],
    quotedLengths: [...quotedLengths, quotedLength],
    strayQuote,
  });
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else {
        quoted = false;
        quotedLength = field.length;
      }
    } else if (character === '"' && field === "") quoted = true;
    else if (character === "\n" || character === "\r") {
      if (fields.length > 0 || field !== "") yield record();
      fields = [];
      quotedLengths = [];
      field = "";
      quotedLength = 0;
      strayQuote = false;
    } else if (character === delimiter) {
      fields.push(field);
      quotedLengths.push(quotedLength);
      field = "";
      quotedLength = 0;
    } else {
      field += character;
      strayQuote ||= character === '"';
    }
  }
  if (fields.length > 0 || field !== "") yield record();
}

/** The fields of a record as names: without blanks around them, except for those in quotes. */
export const fieldNames = ({ fields, quotedLengths }: CsvRecord): string[] =>
  fields.map((field, i) => field.slice(0, quotedLengths[i]) + field.slice(quotedLengths[i]).trim());

/** At most the first `maxRecords` records; for an empty text, one record with an empty field. */
export function firstRecords(text: string, delimiter: string, maxRecords: number): CsvRecord[] {
  const records: CsvRecord[] = [];
  for (const record of csvRecords(text, delimiter)) {
    records.push(record);
    if (records.length === maxRecords) break;
  }
  return records.length > 0 ? records : [{ fields: [""], quotedLengths: [0], strayQuote: false }];
}
