import type { TrainerCommand, ViewerRequest } from "./messages.ts";
import { obey } from "./trainer.ts";
import { answer } from "./viewer.ts";

/** The page starts this file twice: WebAssembly computes on the thread that calls it, so figures need another thread than training. */
if (self.name === "trainer") self.onmessage = ({ data }: MessageEvent<TrainerCommand>) => obey(data);
else self.onmessage = ({ data }: MessageEvent<ViewerRequest>) => answer(data);
