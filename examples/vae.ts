// Variational autoencoders of two moons: compares their lower bounds of the log-likelihood, and its importance-sampled estimates, with
// the exact log-likelihood of a flow.
//
//     npx tsx examples/vae.ts
import { Autoencoder, dataset, fit, forTables, nsf, toys, vae } from "pushforward";

const [training, validation] = [1, 2].map((seed) => dataset(toys.twoMoons(1500, { seed }), { features: 2 }));
const mean = (values: Float64Array) => values.reduce((sum, each) => sum + each) / values.length;

for (const posterior of ["diagonal", "sylvester"] as const) {
  const flow = forTables(vae(2, { latent: 2, hidden: [64, 64], posterior }));
  const optimizer = { learningRate: 2e-3 };
  await fit(flow, training, { validation, epochs: 50, klWarmUp: 10, optimizer });
  await using model = new Autoencoder(flow);
  const [bound, estimate] = [1, 200].map((samples) => model.logProb(validation.values, { samples }));
  console.log(`Evidence lower bound, ${posterior} posterior: ${mean(await bound).toFixed(3)} nats`);
  console.log(`Estimate from 200 draws: ${mean(await estimate).toFixed(3)} nats`);
}
const exact = await fit(forTables(nsf(2, { hidden: [32, 32] })), training, { validation, epochs: 60 });
console.log(`Log-likelihood of the flow: ${exact.validationLogDensity.toFixed(3)} nats`);
