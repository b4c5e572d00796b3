import { broadcastBytes, type Communicator } from "../../communicator/index.ts";
import type { Flow } from "../../flows/index.ts";
import { decodeModel, encodeModel } from "../model/index.ts";

/**
 * Returns the flow of rank 0 on all ranks. Each rank fitted a flow to the same data, but because of rounding or a time limit they may have
 * selected different numbers of components.
 */
export async function broadcastFlow(flow: Flow, communicator: Communicator): Promise<Flow> {
  if (communicator.size === 1) return flow;
  const own = communicator.rank === 0 ? encodeModel({ flow }) : undefined;
  const bytes = await broadcastBytes(communicator, own);
  return own ? flow : (await decodeModel(bytes!)).flow;
}
