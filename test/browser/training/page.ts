import { trainSmallFlow } from "../smallFlow.ts";

declare global {
  interface Window {
    train: typeof trainSmallFlow;
  }
}

window.train = trainSmallFlow;
