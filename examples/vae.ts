// A variational autoencoder (Kingma and Welling 2014): compares its lower bound of the log-likelihood of two moons with the
// exact log-likelihood of a flow.
//
//     npx tsx examples/vae.ts
import {
  dataset,
  fit,
  forTables,
  type LossBatch,
  minimize,
  nsf,
  Random,
  type Tensor,
  toys,
} from "pushforward";
import { MLP } from "pushforward/nn";

const [training, validation] = [1, 2].map((seed) => dataset(toys.twoMoons(1500, { seed }), { features: 2 }));

/** log N(x; mean, deviation^2) + (D / 2) log 2 pi of each row in nats. */
const logNormal = (x: Tensor, mean: Tensor, logDeviation: Tensor) => {
  const z = x.sub(mean).mul(logDeviation.neg().exp());
  return z.square().mul(-0.5).sub(logDeviation).sum(1);
};

class VAE {
  // The last layer is not initialized to zero: otherwise z does not depend on x, and the decoder learns to ignore z.
  readonly encoder = new MLP(2, 4, {}, new Random(0), 0, { zeroInit: false });
  readonly decoder = new MLP(2, 4);

  /** Minus the evidence lower bound of each row in nats, estimated with one sample of z per row. */
  loss({ values: x, normal }: LossBatch) {
    const [mean, logDeviation] = this.encoder.apply(x).split(1, [2, 2]);
    const z = normal(2).mul(logDeviation.exp()).add(mean);
    const [center, logWidth] = this.decoder.apply(z).split(1, [2, 2]);
    const logPrior = z.square().mul(-0.5).sum(1);
    const logDecoded = logNormal(x, center, logWidth).sub(Math.log(2 * Math.PI));
    return logNormal(z, mean, logDeviation).sub(logPrior).sub(logDecoded);
  }
}
const vae = new VAE();
const bound = await minimize((batch) => vae.loss(batch), vae, training, { validation, epochs: 200 });
console.log(`Evidence lower bound of the autoencoder: ${(-bound.validationLoss!).toFixed(3)} nats`);
const exact = await fit(forTables(nsf(2, { hidden: [32, 32] })), training, { validation, epochs: 200 });
console.log(`Log-likelihood of the flow: ${exact.validationLogDensity.toFixed(3)} nats`);
