import { type Flow, maf, type VAEOptions, vae } from "../../src/flows/index.ts";
import { PIXELS } from "../papers/mnist.ts";

/** L, and the widths of the hidden layers of the encoder and the decoder. */
export const LATENT = 64;
export const HIDDEN = [500, 500];

/** What the models differ in, by the names of the results. */
const models: Readonly<Record<string, (seed: number) => VAEOptions>> = {
  none: () => ({ posterior: "diagonal" }),
  planar: () => ({ posterior: "planar", transforms: 16 }),
  IAF: () => ({ posterior: "iaf", transforms: 4 }),
  Sylvester: () => ({ posterior: "sylvester", transforms: 4, columns: 16 }),
  "none, MAF as prior": (seed) => ({
    posterior: "diagonal",
    prior: maf(LATENT, { transforms: 3, hidden: [128], seed }),
  }),
};

export const MODEL_NAMES = Object.keys(models);

/** The model without a flow, from which the difference of the others is computed. */
export const REFERENCE = "none";

/** A variational autoencoder of binarized images. */
export const modelOf = (name: string, seed: number): Flow =>
  vae(PIXELS, { latent: LATENT, hidden: HIDDEN, values: 2, seed, ...models[name]!(seed) });
