import { TrainerClient } from "./engine/client.ts";
import type { Provider, TrainerCommand, TrainerEvent, TrainingEvent } from "./engine/messages.ts";
import { store, stored } from "./storage.ts";

/** The provider is stored in the browser under this key, and not in the link, which must also open on machines without a GPU. */
const KEY = "provider";

/** What trains: a worker that computes on the CPU, or one that computes on a GPU. */
export class TrainingEngine {
  provider = $state<Provider>(stored(KEY) === "webgpu" ? "webgpu" : "wasm");
  /** Whether the browser has a WebGPU adapter. */
  hasWebGpu = $state(false);
  /** Whether ONNX Runtime is loaded and can compute. */
  isReady = $state(false);
  /** Why the GPU that the reader chose does not compute. */
  failure = $state<string>();
  /** Why the worker cannot train, for example because its file could not be loaded. */
  workerFailure = $state<string>();
  private readonly onTraining: (event: TrainingEvent) => void;
  private readonly onGpuFailure: () => void;
  private trainer: TrainerClient;

  /** `onGpuFailure` is called after a GPU failed, when a worker for the CPU has started. */
  constructor(onTraining: (event: TrainingEvent) => void, onGpuFailure: () => void) {
    this.onTraining = onTraining;
    this.onGpuFailure = onGpuFailure;
    this.trainer = this.startTrainer();
  }

  send(command: TrainerCommand): void {
    this.trainer.send(command);
  }

  choose(provider: Provider): void {
    store(KEY, provider);
    this.failure = undefined;
    this.trainer.stop();
    this.provider = provider;
    this.isReady = false;
    this.trainer = this.startTrainer();
  }

  private startTrainer(): TrainerClient {
    this.workerFailure = undefined;
    return new TrainerClient(
      this.provider,
      (event) => this.handleEvent(event),
      ({ message }) => {
        this.workerFailure = message;
      },
    );
  }

  private handleEvent(event: TrainerEvent): void {
    if (event.type === "adapter") this.hasWebGpu = event.hasWebGpu;
    else if (event.type === "ready") this.isReady = true;
    else if (event.type === "gpuFailure") {
      this.choose("wasm");
      this.failure = event.message;
      this.onGpuFailure();
    } else this.onTraining(event);
  }
}
