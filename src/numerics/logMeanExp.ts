import { logSumExp } from "./logSumExp.ts";

/** log((exp(x_1) + ... + exp(x_n)) / n) of numbers, without overflow. */
export const logMeanExp = (values: ArrayLike<number>): number => logSumExp(values) - Math.log(values.length);
