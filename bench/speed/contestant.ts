import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Case } from "./cases.ts";
import type { Plan } from "./measure.ts";
import { type Answer, answerSchema, greetingSchema, THREADS } from "./protocol.ts";

/** An error message quotes this many characters from the end of a contestant's standard error. */
const STDERR_CHARACTERS = 2000;

/** Answers requests for times: a process or, in the browser benchmark, a page. */
export type MeasurementSource = Pick<Contestant, "name" | "request">;

/**
 * A process that measures one library. It reads requests from standard input and writes answers to standard output, one
 * line of JSON each; bench/peers/README.md has the protocol.
 */
export class Contestant {
  readonly name: string;
  versions: Readonly<Record<string, string>> = {};
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  /** The exit code, or null, and the signal, or null. */
  private readonly exit: Promise<[number | null, string | null]>;
  private stderrTail = "";

  private constructor(name: string, [command, ...arguments_]: readonly string[]) {
    this.name = name;
    this.child = spawn(command, [...arguments_, "--threads", `${THREADS}`], {
      stdio: "pipe",
      env: withoutBlasSettings(process.env),
    });
    this.child.on("error", ({ message }) => {
      this.stderrTail += message;
    });
    this.child.stdin!.on("error", () => {});
    this.child.stderr!.on("data", (text) => {
      this.stderrTail = (this.stderrTail + text).slice(-STDERR_CHARACTERS);
    });
    this.exit = new Promise((resolve) =>
      this.child.once("close", (...codeAndSignal) => resolve(codeAndSignal)),
    );
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts the process and waits for its first line, which has its versions. */
  static async start(name: string, command: readonly string[]): Promise<Contestant> {
    const contestant = new Contestant(name, command);
    contestant.versions = greetingSchema.parse(await contestant.nextLine()).versions;
    return contestant;
  }

  /** Sends a request and returns the answer, or `{ error }` if the process ended or its answer is invalid. */
  async request(benchCase: Case, plan: Plan): Promise<Answer> {
    this.child.stdin!.write(`${JSON.stringify({ case: benchCase, ...plan })}\n`);
    try {
      return answerSchema.parse(await this.nextLine());
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  stop(): void {
    this.child.stdin!.end();
    this.child.kill();
  }

  private async nextLine(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done) {
      const [code, signal] = await this.exit;
      throw new Error(`${this.name} ended (${signal ?? code}): ${this.stderrTail.trim()}`);
    }
    return JSON.parse(value);
  }
}

/**
 * The environment without variables that slow a peer's BLAS down. `OPENBLAS_CORETYPE` can hold it to the kernels of an older processor: with
 * Haswell's, products take twice as long on a processor that has AVX-512. Others limit its threads, or bind them to one core.
 */
export const withoutBlasSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(OPENBLAS|GOTO|OMP|MKL|KMP)_/.test(name)),
  );
