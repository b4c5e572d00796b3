import { tmpdir } from "node:os";
import { PushforwardError, shortened } from "../../check/index.ts";
import { interruptedError, stoppedWhile } from "../../files/index.ts";

/** The memory that DuckDB may use. Tables of very many columns get more; see `Database.prepareForColumns`. */
export const MEMORY_LIMIT_MB = 512;

/**
 * Converts an error of DuckDB into a `PushforwardError` that names what was read, and says how to fix the usual problems. Returns
 * a `PushforwardError`, and anything that is not an `Error`, unchanged.
 *
 * DuckDB's errors have no codes, so problems are recognized by the texts of DuckDB 1.5, which are quoted below.
 *
 * @param source What was read, as errors call it: a file, a pattern of files, "standard input" or "the query".
 */
export function databaseError(error: unknown, source: string): unknown {
  if (!(error instanceof Error) || error instanceof PushforwardError) return error;
  // The content of a pipe is in a temporary file, whose name the user does not know.
  const text = error.message.replace(/\S*pushforward-[^\s/]+\/[-0-9a-f]{36}\.input/g, source);
  // "  file = quakes/2020.csv": `source` may be a pattern, and this is the file with the problem.
  const file = /^ +file = (.*)$/m.exec(text)?.[1] ?? source;
  const dataError = (what: string, details: { expected?: string; received?: string; hint?: string }) =>
    new PushforwardError("DATA", what, { ...details, cause: error });

  // "Malformed JSON in file "a.json", at byte 7 in line 3: unexpected end of data." DuckDB reports the number of the line or record after the
  // malformed one, so 1 is subtracted.
  const json = /JSON.* in file ".*",? (?:at byte \d+ )?in (line|record)\S* (\d+): (.*?)\.? *$/m.exec(text);
  if (json) {
    return dataError(`${file} is malformed in ${json[1]} ${Number(json[2]) - 1} (${json[3]})`, {
      hint: "Correct or remove it.",
    });
  }
  // "json_read expected records, but got non-record JSON instead."
  if (/non-record JSON/.test(text)) {
    return dataError(`${file} does not contain rows`, {
      expected: 'one object per row: {"a": 1, "b": 2}',
    });
  }
  // "CSV Error on Line: 3\nOriginal Line: 1,2,3\nExpected Number of Columns: 2 Found: 3"
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1] ?? "?";
  const originalLine = /Original Line: (.*)/.exec(text)?.[1];
  const fields = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  if (fields) {
    return dataError(`${file} is malformed in line ${line}`, {
      expected: `${fields[1]} ${fields[1] === "1" ? "field" : "fields"} as in the first line`,
      received: `${fields[2]}${originalLine ? ` (${shortened(originalLine)})` : ""}`,
      hint: "Correct or remove the line. If the file begins with a title or comments, remove those lines.",
    });
  }
  // "CSV Error on Line: 3\nOriginal Line: "x,3\nValue with unterminated quote found."
  if (/unterminated quote/.test(text)) {
    return dataError(`${file} is malformed in line ${line}`, {
      expected: "a closing quote",
      received: shortened(originalLine ?? ""),
      hint: "Close the quote, or double it if it is part of the text.",
    });
  }
  // "CSV Error on Line: 3\n...\nInvalid unicode (byte sequence mismatch) detected. This file is not utf-8 encoded."
  if (/Invalid unicode|not utf-8/.test(text)) return notUtf8Error(file, line, error);
  // "The CSV Parser state machine reached an invalid state."
  if (/state machine reached an invalid state/.test(text)) {
    return dataError(`${file} mixes line endings, or has text after a closing quote`, {
      expected: "the same line ending in every line",
      hint: "Write the file again with one line ending: tr -d '\\r' < old.csv > new.csv",
    });
  }
  // "INTERRUPT Error: Interrupted!"
  if (/^INTERRUPT/.test(text)) return interruptedError(file, error);
  // This test precedes that of the memory, because a full temporary directory can also be an "Out of Memory Error": "failed to
  // offload data block of size 256.0 KiB ... This limit was set by the 'max_temp_directory_size' setting."
  if (/No space left on device|temp_directory|max_temp_directory_size/.test(text)) {
    return temporaryDirectoryFullError(error);
  }
  // "Out of Memory Error: failed to pin block of size 256.0 KiB ..."
  if (/^Out of Memory/.test(text)) {
    return dataError(`DuckDB does not have enough memory for ${file}`, {
      hint: "Select fewer columns in a query, or convert the table to a Parquet file first.",
    });
  }
  return dataError(`DuckDB cannot read ${file} (${problemOnly(text)})`, {});
}

export const interruptedDrawingError = (): PushforwardError => stoppedWhile("drawing rows from the model");

export const notUtf8Error = (source: string, line: number | string, cause?: unknown): PushforwardError =>
  new PushforwardError("DATA", `${source} is not UTF-8 text in line ${line}`, {
    hint: "Convert the file: iconv -f latin1 -t utf-8 old.csv > new.csv",
    cause,
  });

export const temporaryDirectoryFullError = (cause: unknown): PushforwardError =>
  new PushforwardError("FILE", `The disk of the temporary directory ${tmpdir()} is full`, {
    hint: "Free some space there, or set TMPDIR to a directory on a larger disk.",
    cause,
  });

/**
 * The problem that a message of DuckDB states, on one line, without the class of the error, candidates, advice about options of
 * DuckDB, and the copy of the SQL. For example, "Binder Error: Referenced column "b" not found in FROM clause!\nCandidate
 * bindings: "a"\n\nLINE 1: SELECT b ..." becomes "Referenced column "b" not found in FROM clause".
 */
function problemOnly(text: string): string {
  return text
    .replace(/^[A-Z][\w ]* Error: /, "")
    .split(/\n\s*\n|\nLINE \d|\nTry |\nPossible |\nCandidate/)[0]!
    .replace(/\s+/g, " ")
    .replace(/[.!]?\s*$/, "");
}
