// A custom loss: estimates the 10%, 50% and 90% quantiles of y given x with the pinball loss (Koenker and Bassett 1978).
//
//     npx tsx examples/custom-loss.ts
import { compile, constant, dataset, type Loss, minimize, Random } from "pushforward";
import { MLP } from "pushforward/nn";

// y is normal with mean sin(x) and a deviation that increases with x.
const [x, noise] = ["x", "noise"].map((name) => new Random(0).split(name).normal(new Float64Array(4000)));
const y = x.map((v, i) => Math.sin(v) + 0.3 * Math.exp(v / 2) * noise[i]);
const network = new MLP(1, 3);
const levels = constant([0.1, 0.5, 0.9], [3]);
/** The sum over levels q of q e - min(e, 0), with the error e = y - (estimated quantile). */
const pinball: Loss = ({ values, context }) => {
  const error = values.sub(network.apply(context!));
  return error.mul(levels).sub(error.minimum(0)).sum(1);
};
await minimize(pinball, network, dataset(y, { features: 1, context: x }));
console.log("Quantiles of y at x = 0:", (await compile((x) => network.apply(x), [["N", 1]])([0])).join(" "));
