import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Case } from "./cases.ts";
import type { Plan } from "./measure.ts";
import { type Answer, answerSchema, greetingSchema, THREADS } from "./protocol.ts";

const REMARKS = 2000;

/** Whoever answers requests for times. */
export type Asked = Pick<Contestant, "name" | "ask">;

/** A process that answers requests for times; the protocol is in bench/peers/README.md. */
export class Contestant {
  readonly name: string;
  versions: Readonly<Record<string, string>> = {};
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  /** The exit code and the signal. */
  private readonly closed: Promise<[number | null, string | null]>;
  private remarks = "";

  private constructor(name: string, [command, ...arguments_]: readonly string[]) {
    this.name = name;
    this.child = spawn(command, [...arguments_, "--threads", `${THREADS}`], {
      stdio: "pipe",
      env: withoutBlasSettings(process.env),
    });
    this.child.on("error", ({ message }) => {
      this.remarks += message;
    });
    this.child.stdin!.on("error", () => {});
    this.child.stderr!.on("data", (text) => {
      this.remarks = (this.remarks + text).slice(-REMARKS);
    });
    this.closed = new Promise((resolve) => this.child.once("close", (...how) => resolve(how)));
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts the process and waits until it is ready. */
  static async start(name: string, command: readonly string[]): Promise<Contestant> {
    const contestant = new Contestant(name, command);
    contestant.versions = greetingSchema.parse(await contestant.nextLine()).versions;
    return contestant;
  }

  /** The answer to a request; an error if the process ended or its answer is none. */
  async ask(benchCase: Case, plan: Plan): Promise<Answer> {
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
      const [code, signal] = await this.closed;
      throw new Error(`${this.name} ended (${signal ?? code}): ${this.remarks.trim()}`);
    }
    return JSON.parse(value);
  }
}

/**
 * The environment without variables such as `OPENBLAS_CORETYPE`, which can hold a peer's BLAS to the kernels of an older
 * processor: with Haswell's, products take twice as long on a processor that has AVX-512.
 */
export const withoutBlasSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("OPENBLAS_")));
