import { tmpdir } from "node:os";
import { PushforwardError } from "../errors.ts";

/** What DuckDB could not do with `source`, in one sentence, with a hint how to fix it. */
export function databaseError(error: unknown, from: string): unknown {
  if (!(error instanceof Error) || error instanceof PushforwardError) return error;
  // DuckDB names the temporary copy of what was read from a pipe.
  const text = error.message.replace(/\S*pushforward-[^\s/]+\/[-0-9a-f]{36}\.input/g, from);
  const source = /^ +file = (.*)$/m.exec(text)?.[1] ?? from;
  const data = (what: string, details: { expected?: string; received?: string; hint?: string }) =>
    new PushforwardError("DATA", what, { ...details, cause: error });

  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1] ?? "?";
  const width = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  const record = /Original Line: (.*)/.exec(text)?.[1];
  if (width) {
    return data(`${source} is malformed in line ${line}`, {
      expected: `${width[1]} ${width[1] === "1" ? "field" : "fields"} as in the first line`,
      received: `${width[2]}${record ? ` (${shorten(record)})` : ""}`,
      hint: "Correct or remove the line. The first line must name the columns.",
    });
  }
  const json = /JSON.* in file ".*",? (?:at byte \d+ )?in (line|record)\S* (\d+): (.*?)\.? *$/m.exec(text);
  if (json) {
    return data(`${source} is malformed in ${json[1]} ${json[2]} (${json[3]})`, {
      hint: "Correct or remove it.",
    });
  }
  if (/non-record JSON/.test(text)) {
    return data(`${source} does not hold rows`, { expected: 'one object a row: {"a": 1, "b": 2}' });
  }
  if (/unterminated quote/.test(text)) {
    return data(`${source} is malformed in line ${line}`, {
      expected: "a closing quote",
      received: shorten(record ?? ""),
      hint: "Close the quote, or double it if it is part of the text.",
    });
  }
  if (/^INTERRUPT/.test(text)) return interrupted(source, error);
  if (/Invalid unicode|not utf-8/.test(text)) return notUtf8(source, line, error);
  if (/state machine reached an invalid state/.test(text)) {
    return data(`${source} mixes line endings, or has text after a closing quote`, {
      expected: "the same line ending in every line",
      hint: "Write the file again with one line ending: tr -d '\\r' < old.csv > new.csv",
    });
  }
  if (/No space left on device|temp_directory|max_temp_directory_size/.test(text)) {
    return temporaryDirectoryFull(error);
  }
  if (/^Out of Memory/.test(text)) {
    return data(`DuckDB needs more than 512 MB for ${source}`, {
      hint: "Write the result of the query to a Parquet file first, and use that.",
    });
  }
  return data(`DuckDB cannot read ${source} (${firstSentence(text)})`, {});
}

export const interrupted = (source: string, cause?: unknown): PushforwardError =>
  new PushforwardError("INTERRUPTED", `Stopped while reading ${source}`, {
    hint: "Run the command again.",
    cause,
  });

export const notUtf8 = (source: string, line: number | string, cause?: unknown): PushforwardError =>
  new PushforwardError("DATA", `${source} is not UTF-8 text in line ${line}`, {
    hint: "Convert the file: iconv -f latin1 -t utf-8 old.csv > new.csv",
    cause,
  });

export const temporaryDirectoryFull = (cause: unknown): PushforwardError =>
  new PushforwardError("FILE", `The disk of the temporary directory ${tmpdir()} is full`, {
    hint: "Free some space there, or set TMPDIR to a directory on a larger disk.",
    cause,
  });

/** The message without its kind, its advice about DuckDB options and its copy of the SQL. */
function firstSentence(text: string): string {
  return text
    .replace(/^[A-Z][\w ]* Error: /, "")
    .split(/\n\s*\n|\nLINE \d|\nTry |\nPossible |\nCandidate/)[0]!
    .replace(/\s+/g, " ")
    .replace(/[.!]?\s*$/, "");
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
