export { type MpiCommunicator, mpiCommunicator } from "./mpiCommunicator.ts";
