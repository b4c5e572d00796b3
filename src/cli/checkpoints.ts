import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { checkpointFile } from "../files/index.ts";
import type { CheckpointStore } from "../train/index.ts";
import type { FitValues } from "./fitOptions.ts";
import type { Messages } from "./messages.ts";

/**
 * The checkpoints of a training run, beside its model: `model.safetensors.checkpoint` or, for the default model, one for each of its
 * flows: `model.safetensors.checkpoint-NAME`.
 */
export class Checkpoints {
  private readonly output: string;
  private readonly resume: boolean;
  /** The checkpoints of an earlier training. */
  private readonly earlier: readonly string[];
  private readonly written = new Set<string>();

  private constructor({ output, resume }: FitValues, earlier: readonly string[]) {
    this.output = output;
    this.resume = resume;
    this.earlier = earlier;
  }

  /**
   * Looks for checkpoints of an earlier training. If the model is newer than these, that training ended by --max-minutes, and its
   * checkpoints may be replaced.
   *
   * @throws FILE when there are checkpoints of an interrupted training run, and neither --resume nor --overwrite says what to do;
   *   MODEL when they are of another flow.
   */
  static async open(values: FitValues, messages: Messages): Promise<Checkpoints> {
    const { output, resume, overwrite, flow } = values;
    const earlier = await checkpointsOf(output);
    const paths = earlier.join(", ");
    if (earlier.length === 0 && resume) {
      messages.print(
        `There is no checkpoint of ${output} to continue from. Training starts from the beginning.`,
      );
    }
    if (earlier.length > 0 && !resume && !overwrite) {
      if (!(await isNewer(output, earlier))) {
        throw new PushforwardError("FILE", `There is a checkpoint of an unfinished training run, ${paths}`, {
          hint: "Continue from it with --resume, or discard it and start again with --overwrite.",
        });
      }
      messages.print(
        `Training starts from the beginning and replaces the model ${output}, whose training --max-minutes ended. (--resume continues from ${paths}.)`,
      );
    }
    const isOfDefault = (path: string) => !path.endsWith(".checkpoint");
    const other = resume && earlier.find((path) => isOfDefault(path) !== (flow === "default"));
    if (other) {
      throw new PushforwardError("MODEL", `${other} is the checkpoint of another flow`, {
        hint: "Give the same --flow to continue from it, or discard it and start again with --overwrite.",
      });
    }
    return new Checkpoints(values, earlier);
  }

  /** Discards the checkpoints of an earlier training unless training continues from them. */
  async discardOld(): Promise<void> {
    if (!this.resume) await removeFiles(this.earlier);
  }

  /** The checkpoints of one flow. `onSave` is called after each is written. */
  store(name?: string, onSave?: () => void): CheckpointStore {
    const path = `${this.output}.checkpoint${name === undefined ? "" : `-${name}`}`;
    return checkpointFile(path, {
      resume: this.resume && this.earlier.includes(path),
      onSave: () => {
        this.written.add(path);
        onSave?.();
      },
    });
  }

  /** The checkpoints that a training run can continue from. */
  get paths(): string[] {
    return [...new Set([...(this.resume ? this.earlier : []), ...this.written])];
  }

  async remove(): Promise<void> {
    await removeFiles(this.paths);
  }
}

async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

/** Whether the file `path` was written after all files of `others`. */
async function isNewer(path: string, others: readonly string[]): Promise<boolean> {
  const writtenAt = async (file: string) => (await stat(file)).mtimeMs;
  const time = await writtenAt(path).catch(() => Number.NEGATIVE_INFINITY);
  return time >= Math.max(...(await Promise.all(others.map(writtenAt))));
}

async function checkpointsOf(output: string): Promise<string[]> {
  const name = `${basename(output)}.checkpoint`;
  const siblings = await readdir(dirname(output)).catch(() => []);
  const directory = output.slice(0, output.length - basename(output).length);
  return siblings
    .filter((sibling) => sibling === name || sibling.startsWith(`${name}-`))
    .map((sibling) => directory + sibling)
    .sort();
}
