import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { PushforwardError } from "../errors.ts";
import { writeFileAtomically } from "../files/atomicFile.ts";
import { readBytes } from "../files/readBytes.ts";
import type { CheckpointStore } from "../train/index.ts";
import type { Settings } from "./fitSettings.ts";
import type { Messages } from "./messages.ts";

/** A checkpoint is written after an epoch that ends at least this long after the previous checkpoint. */
const MIN_INTERVAL_MILLISECONDS = 1000;

/**
 * The checkpoints of a training, beside its model: `model.safetensors.checkpoint`, or one for each flow that is tried,
 * `model.safetensors.checkpoint-name`. Each is written atomically, so that a kill at any moment leaves a whole one.
 */
export class Checkpoints {
  private readonly output: string;
  /** The checkpoints of an earlier training, to go on from or to discard. */
  private readonly found: readonly string[];
  private readonly resume: boolean;
  private readonly written = new Set<string>();

  private constructor({ output, resume }: Settings, found: readonly string[]) {
    this.output = output;
    this.resume = resume;
    this.found = found;
  }

  /**
   * Looks for checkpoints of an earlier training. One that ended by time has written its model since, and its checkpoint may
   * be replaced.
   *
   * @throws FILE when there are some of an interrupted training, and nobody asked to go on from them or to discard them;
   *   MODEL when they are those of another kind of flow.
   */
  static async open(settings: Settings, messages: Messages): Promise<Checkpoints> {
    const { output, resume, overwrite, flow } = settings;
    const found = await checkpointsOf(output);
    const paths = found.join(", ");
    if (found.length === 0 && resume) {
      messages.print(`There is no checkpoint of ${output} to go on from: starting anew.`);
    }
    if (found.length > 0 && !resume && !overwrite) {
      if (!(await isNewer(output, found))) {
        throw new PushforwardError("FILE", `There is a checkpoint of an unfinished training, ${paths}`, {
          hint: "Go on from it with --resume, or discard it and start anew with --overwrite.",
        });
      }
      messages.print(
        `Starting anew, in place of the training that wrote ${output} when its time was up. (--resume would have gone on from ${paths}.)`,
      );
    }
    const several = flow === "default";
    const foreign = resume ? found.find((path) => path.endsWith(".checkpoint") === several) : undefined;
    if (foreign) {
      throw new PushforwardError("MODEL", `${foreign} is the checkpoint of another kind of flow`, {
        hint: "Give the same --flow to go on from it, or discard it and start anew with --overwrite.",
      });
    }
    return new Checkpoints(settings, found);
  }

  /** Discards the checkpoints of an earlier training, unless it goes on. */
  async begin(): Promise<void> {
    if (!this.resume) await remove(this.found);
  }

  /** Where the checkpoints of one flow are kept; `onSave` is called after each write. */
  store(name?: string, onSave: () => void = () => {}): CheckpointStore {
    const path = `${this.output}.checkpoint${name === undefined ? "" : `-${name}`}`;
    let saved = Number.NEGATIVE_INFINITY;
    return {
      due: () => performance.now() - saved >= MIN_INTERVAL_MILLISECONDS,
      load: async () => (this.resume && this.found.includes(path) ? readBytes(path) : undefined),
      save: async (bytes) => {
        await writeFileAtomically(path, bytes);
        saved = performance.now();
        this.written.add(path);
        onSave();
      },
    };
  }

  /** What a training can go on from. */
  get paths(): string[] {
    return [...new Set([...(this.resume ? this.found : []), ...this.written])];
  }

  /** When the model is written, nobody needs them. */
  async remove(): Promise<void> {
    await remove(this.paths);
  }
}

async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

/** Whether a file was written after all others. */
async function isNewer(path: string, others: readonly string[]): Promise<boolean> {
  const written = async (each: string) => (await stat(each)).mtimeMs;
  const own = await written(path).catch(() => Number.NEGATIVE_INFINITY);
  return own >= Math.max(...(await Promise.all(others.map(written))));
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
