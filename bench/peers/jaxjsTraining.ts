import {
  blockUntilReady,
  type Device,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import {
  LOG_SCALE_BOUND,
  type MaskedLayer,
  mafStart,
  type Numbers,
  type TrainingCase,
  type TrainingStep,
} from "./maf.ts";

type Layer = { weight: np.Array; bias: np.Array };
type Parameters = Layer[][];
/** Parameters, and Adam's averages of the gradient and its square. */
type State = { parameters: Parameters; first: Parameters; second: Parameters };

/** Makes a device the default one. */
export async function startJaxjs(device: Device): Promise<void> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
}

/** Training of a masked autoregressive flow in jax-js, on its default device: one compiled function for the whole step. */
export function jaxjsTraining(settings: TrainingCase): TrainingStep {
  const { dim, batch } = settings;
  const start = mafStart(settings);
  const masks = start.map((layers) =>
    layers.map(({ mask, inputs, outputs }) => array(mask, [inputs, outputs])),
  );

  const loss = (parameters: Parameters, rows: np.Array): np.Array => {
    let z = rows;
    let logDet: np.Array | undefined;
    for (const [t, layers] of parameters.entries()) {
      const [shift, scale] = np.split(network(layers, masks[t], z.ref), 2, 1);
      const logScale = scale.ref.div(np.absolute(scale).div(LOG_SCALE_BOUND).add(1));
      z = z.mul(np.exp(logScale.ref)).add(shift);
      logDet = logDet ? logDet.add(logScale.sum()) : logScale.sum();
    }
    const constant = 0.5 * dim * Math.log(2 * Math.PI);
    return np.square(z).sum().mul(0.5).sub(logDet!).div(batch).add(constant);
  };

  /** Adam, with the bias corrections of both averages in its step size and epsilon. */
  const step = jit((state: State, rows: np.Array, size: np.Array, floor: np.Array) => {
    const { parameters, first, second } = state;
    const [value, gradient] = valueAndGrad(loss)(tree.ref(parameters), rows);
    const m = tree.map((m: np.Array, g: np.Array) => m.mul(0.9).add(g.mul(0.1)), first, tree.ref(gradient));
    const v = tree.map(
      (v: np.Array, g: np.Array) => v.mul(0.999).add(np.square(g).mul(0.001)),
      second,
      gradient,
    );
    const moved = tree.map(
      (p: np.Array, m: np.Array, v: np.Array) => p.sub(m.mul(size.ref).div(np.sqrt(v).add(floor.ref))),
      parameters,
      tree.ref(m),
      tree.ref(v),
    );
    size.dispose();
    floor.dispose();
    return { value, state: { parameters: moved, first: m, second: v } };
  });

  const parameters: Parameters = start.map((layers) => layers.map(toLayer));
  const zeros = () => tree.map((p: np.Array) => np.zerosLike(p), tree.ref(parameters));
  let state: State = { parameters, first: zeros(), second: zeros() };
  let steps = 0;
  return async (rows) => {
    steps++;
    const correction2 = Math.sqrt(1 - 0.999 ** steps);
    const size = (1e-3 * correction2) / (1 - 0.9 ** steps);
    const result = step(state, array(rows, [batch, dim]), np.array(size), np.array(1e-8 * correction2));
    state = result.state as State;
    // In WebAssembly everything then runs on the calling thread. Where the library has threads, in a page, waiting for them
    // takes longer than they save: a step of the smallest case takes four times as long.
    if (defaultDevice() === "wasm") return result.value.dataSync()[0];
    const [value] = await result.value.data();
    await blockUntilReady(state);
    return value;
  };
}

const array = (values: Numbers, shape: number[]) => np.array(values).reshape(shape);

const toLayer = ({ inputs, outputs, weight, bias }: MaskedLayer): Layer => ({
  weight: array(weight, [inputs, outputs]),
  bias: np.array(bias),
});

function network(layers: Layer[], masks: np.Array[], x: np.Array): np.Array {
  return layers.reduce((a, { weight, bias }, i) => {
    const value = np.matmul(a, weight.mul(masks[i].ref)).add(bias);
    return i < layers.length - 1 ? nn.relu(value) : value;
  }, x);
}
