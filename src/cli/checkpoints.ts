import { readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { readBytes, shellQuoted, writeFileAtomically } from "../data/index.ts";
import { PushforwardError } from "../errors.ts";
import type { CheckpointStore } from "../train/index.ts";
import type { Settings } from "./fitSettings.ts";
import type { Messages } from "./messages.ts";

/**
 * The checkpoints of a training, beside its model: `model.safetensors.checkpoint`, or one for each flow that is tried,
 * `model.safetensors.checkpoint-name`. Each is written atomically, so that a kill at any moment leaves a whole one.
 */
export class Checkpoints {
  private readonly output: string;
  private readonly found: ReadonlySet<string>;
  private readonly written = new Set<string>();

  private constructor(output: string, found: readonly string[]) {
    this.output = output;
    this.found = new Set(found);
  }

  /**
   * Looks for checkpoints of an earlier training.
   *
   * @throws FILE when there are some and nobody asked to go on from them: to start anew would lose them; MODEL when they
   *   are those of another kind of flow.
   */
  static async open({ output, resume, flow }: Settings, messages: Messages): Promise<Checkpoints> {
    const found = await checkpointsOf(output);
    const paths = found.map(shellQuoted).join(" ");
    if (found.length === 0 && resume) {
      messages.print(`There is no checkpoint of ${output} to go on from: starting anew.`);
    }
    if (found.length > 0 && !resume) {
      throw new PushforwardError(
        "FILE",
        `There is a checkpoint of an unfinished training, ${found.join(", ")}`,
        {
          mend: `Go on from it with --resume, or remove it to start anew: rm ${paths}`,
        },
      );
    }
    const several = flow === "default";
    const foreign = found.find((path) => path.endsWith(".checkpoint") === several);
    if (foreign) {
      throw new PushforwardError("MODEL", `${foreign} is the checkpoint of another kind of flow`, {
        mend: `Give the same --flow to go on from it, or remove it to start anew: rm ${paths}`,
      });
    }
    return new Checkpoints(output, found);
  }

  /** Where the checkpoints of one flow are kept. */
  store(name?: string): CheckpointStore {
    const path = `${this.output}.checkpoint${name === undefined ? "" : `-${name}`}`;
    return {
      load: async () => (this.found.has(path) ? readBytes(path) : undefined),
      save: async (bytes) => {
        await writeFileAtomically(path, bytes);
        this.written.add(path);
      },
    };
  }

  /** What a training can go on from. */
  get paths(): string[] {
    return [...new Set([...this.found, ...this.written])];
  }

  /** When the model is written, nobody needs them. */
  async remove(): Promise<void> {
    for (const path of this.paths) await rm(path, { force: true });
  }
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
