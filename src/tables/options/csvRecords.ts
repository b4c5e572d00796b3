/** One record of a delimited text. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** For each field, how many of its first characters were in quotes. */
  readonly quotedLengths: readonly number[];
  /** Whether there is a quote in the middle of an unquoted field. */
  readonly strayQuote: boolean;
  /** Whether the text ends before the closing quote of the last field. */
  readonly isUnclosed: boolean;
}

/**
 * Parses delimited text (RFC 4180: quoted fields may contain delimiters, line breaks and doubled quotes). An empty line is a record with one
 * empty field.
 */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  let fields: string[] = [];
  let quotedLengths: number[] = [];
  let field = "";
  let quotedLength = 0;
  let strayQuote = false;
  let quoted = false;
  let start = 0;
  const record = (): CsvRecord => ({
    fields: [...fields, field],
    quotedLengths: [...quotedLengths, quotedLength],
    strayQuote,
    isUnclosed: quoted,
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
      yield record();
      if (character === "\r" && text[i + 1] === "\n") i++;
      start = i + 1;
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
  if (start < text.length) yield record();
}

/** Whether a record is an empty line, or one that has only an empty field in quotes. */
export const isEmptyRecord = ({ fields }: CsvRecord): boolean => fields.length === 1 && fields[0] === "";

/** The fields of a record as names: without blanks around them, except for those in quotes. */
export const fieldNames = ({ fields, quotedLengths }: CsvRecord): string[] =>
  fields.map((field, i) => field.slice(0, quotedLengths[i]) + field.slice(quotedLengths[i]).trim());

/** At most the first `maxRecords` records that are not empty; for a text without any, one record with an empty field. */
export function firstRecords(text: string, delimiter: string, maxRecords: number): CsvRecord[] {
  const records: CsvRecord[] = [];
  for (const record of csvRecords(text, delimiter)) {
    if (!isEmptyRecord(record)) records.push(record);
    if (records.length === maxRecords) break;
  }
  return records.length > 0
    ? records
    : [{ fields: [""], quotedLengths: [0], strayQuote: false, isUnclosed: false }];
}
