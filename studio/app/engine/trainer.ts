import { type FitEpoch, Flow, PushforwardError, saveParameters } from "pushforward";
import { flowOf } from "./flow.ts";
import type { Provider, TrainerCommand, TrainerEvent } from "./messages.ts";
import { objectives } from "./objectives.ts";
import { hasWebGpu, startOnnxRuntime } from "./onnxRuntime.ts";

// Trains one flow at a time. WebAssembly computes on the thread that calls it, so this is a worker of its own.

const send = (event: TrainerEvent, transfer: Transferable[] = []) => postMessage(event, { transfer });

/** The time in which a browser reports that it lost the GPU, after an operation failed. */
const LOSS_REPORT_MS = 1000;

let provider: Provider;
let gpu: GPUDevice | undefined;
/** Resolves when ONNX Runtime can compute. */
let ready: Promise<void>;
/** The number of epochs to train before the next pause. */
let epochsUntilPause = Number.POSITIVE_INFINITY;
let wake: () => void = () => {};
let training: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
let latest = 0;

function trainUntilPause(epochs: number): void {
  epochsUntilPause = epochs;
  wake();
}

/** Resolves when the worker has received all messages that wait for it. A timer would take 4 ms, about half of a training step. */
function messagesReceived(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Lets the worker receive messages, and waits while training is paused. Returns the milliseconds that it waited. */
async function pausePoint(signal: AbortSignal): Promise<number> {
  const start = performance.now();
  epochsUntilPause--;
  await messagesReceived();
  while (epochsUntilPause <= 0 && !signal.aborted) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return performance.now() - start;
}

/** A flow that saves its parameters when they have been initialized from data: if no epoch is better, the result of `fit` is this initial flow. */
class TrainedFlow extends Flow {
  initialParameters: Uint8Array | undefined;

  override get fitToData(): Flow["fitToData"] {
    const fitToData = super.fitToData;
    return async (...rows) => {
      await fitToData?.(...rows);
      this.initialParameters = saveParameters(this);
    };
  }
}

/** Reports the epochs of a training run, and pauses it between them. */
class Report {
  private readonly flow: TrainedFlow;
  private readonly run: number;
  private readonly signal: AbortSignal;
  private start = performance.now();
  private waited = 0;
  private best = Number.NEGATIVE_INFINITY;

  constructor(flow: TrainedFlow, run: number, signal: AbortSignal) {
    this.flow = flow;
    this.run = run;
    this.signal = signal;
  }

  /** Starts the clock after the graphs are compiled, and reports the initial flow. */
  begin(validationLogDensity: number): void {
    const { run } = this;
    this.start = performance.now();
    this.best = validationLogDensity;
    const parameters = this.flow.initialParameters!;
    send({ type: "start", run, validationLogDensity, parameters }, [parameters.buffer]);
  }

  async epoch(epoch: FitEpoch): Promise<void> {
    const { flow, run, signal } = this;
    if (signal.aborted) return;
    const isBest = epoch.validationLogDensity > this.best;
    if (isBest) this.best = epoch.validationLogDensity;
    const seconds = (performance.now() - this.start - this.waited) / 1000;
    const parameters = saveParameters(flow);
    send({ type: "epoch", run, epoch: { ...epoch, seconds, best: isBest }, parameters }, [parameters.buffer]);
    this.waited += await pausePoint(signal);
  }
}

async function trainFlow({ setting, run }: Extract<TrainerCommand, { type: "train" }>, signal: AbortSignal) {
  await ready;
  const { base, bijection } = flowOf(setting);
  const flow = new TrainedFlow(base, bijection);
  const report = new Report(flow, run, signal);
  const callbacks = {
    onStart: (validationLogDensity: number) => report.begin(validationLogDensity),
    onEpoch: (epoch: FitEpoch) => report.epoch(epoch),
  };
  const reason = await objectives[setting.objective](flow, setting, provider, signal, callbacks);
  if (!signal.aborted) send({ type: "end", run, reason });
}

async function stop(): Promise<void> {
  training?.controller.abort();
  wake();
  await training?.done;
}

/** Loads and starts ONNX Runtime before the reader asks for a training run. */
async function prepare(): Promise<void> {
  hasWebGpu().then((isThere) => send({ type: "adapter", hasWebGpu: isThere }));
  gpu = await startOnnxRuntime(provider);
  gpu?.lost.then(({ message }) =>
    send({ type: "gpuFailure", message: `the browser lost the GPU. ${message}` }),
  );
  send({ type: "ready" });
}

/** Whether the GPU failed: the library gives such errors the code `ENGINE`, or passes on those of ONNX Runtime. */
const isGpuFailure = (error: Error): boolean =>
  provider === "webgpu" && (!(error instanceof PushforwardError) || error.code === "ENGINE");

async function reportGpuFailure({ message }: Error): Promise<void> {
  // An operation fails shortly before the browser reports that it lost the GPU, which says more.
  if (gpu) await Promise.race([gpu.lost, new Promise((resolve) => setTimeout(resolve, LOSS_REPORT_MS))]);
  // The other lines of ONNX Runtime's message are its stack.
  send({ type: "gpuFailure", message: message.split("\n")[0]! });
}

export async function handleCommand(command: TrainerCommand): Promise<void> {
  if (command.type === "prepare") {
    provider = command.provider;
    ready = prepare();
    return ready.catch((error: Error) => {
      // On the CPU, the first training reports the error.
      if (isGpuFailure(error)) return reportGpuFailure(error);
    });
  }
  if (command.type === "stop") {
    latest = -1;
    return stop();
  }
  if (command.type === "pause") return trainUntilPause(0);
  if (command.type === "step") return trainUntilPause(Math.max(0, epochsUntilPause) + 1);
  if (command.type === "resume") return trainUntilPause(Number.POSITIVE_INFINITY);
  const { run } = command;
  latest = run;
  trainUntilPause(command.paused ? 1 : Number.POSITIVE_INFINITY);
  await stop();
  // Another command may have arrived while the previous training was ending.
  if (run !== latest) return;
  const controller = new AbortController();
  const done = trainFlow(command, controller.signal).catch((error: Error) => {
    if (isGpuFailure(error)) return reportGpuFailure(error);
    send({ type: "error", run, message: error.message });
  });
  training = { controller, done };
}
