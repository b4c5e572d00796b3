import type { Requests, TrainerCommand } from "./messages.ts";
import type { Request } from "./requests.ts";
import { handleCommand } from "./trainer.ts";
import { handleRequest } from "./viewer.ts";

// The page starts this file twice: WebAssembly computes on the thread that calls it, so figures need another thread than training.
if (self.name === "trainer") self.onmessage = ({ data }: MessageEvent<TrainerCommand>) => handleCommand(data);
else self.onmessage = ({ data }: MessageEvent<Request<Requests>>) => handleRequest(data);
