/**
 * Lets computations of the tests and of the processes that they start use one thread by default. Two workers run tests, so on two cores
 * further threads would only compete: with them, training takes a quarter more processor time. Tests of several threads state their number.
 */
import { createRequire } from "node:module";

createRequire(import.meta.url)("node:os").availableParallelism = () => 1;
