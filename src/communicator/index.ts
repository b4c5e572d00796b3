/** The interface by which the processes of a distributed training exchange numbers. */

export {
  broadcastArray,
  broadcastBytes,
  broadcastNumber,
  type Communicator,
  gatherNumbers,
  SINGLE_PROCESS,
} from "./communicator.ts";
