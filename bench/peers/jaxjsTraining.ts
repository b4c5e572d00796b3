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
  initialLayers,
  LOG_SCALE_BOUND,
  type MaskedLayer,
  type Numbers,
  type TrainingCase,
  type TrainingStep,
} from "./maf.ts";

type Layer = { weight: np.Array; bias: np.Array };
type Parameters = Layer[][];
/** Parameters, and Adam's averages of the gradient and its square. */
type State = { parameters: Parameters; first: Parameters; second: Parameters };

/** Initializes a device and makes it the default. */
export async function startJaxjs(device: Device): Promise<void> {
  if (!(await init(device)).includes(device))
    throw new Error(`jax-js does not support the device ${device} in this environment`);
  defaultDevice(device);
}

/**
 * Training of a masked autoregressive flow in jax-js, to compare its speed with ours: on its default device, with one compiled function
 * for the whole step. Operations of jax-js consume their arguments, and `.ref` keeps an argument for another use.
 */
export function jaxjsTraining(settings: TrainingCase): TrainingStep {
  const { dim, batch } = settings;
  const start = initialLayers(settings);
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

  /** One step of Adam. The bias corrections of both averages are applied to `stepSize` and `epsilon`. */
  const step = jit((state: State, rows: np.Array, stepSize: np.Array, epsilon: np.Array) => {
    const { parameters, first, second } = state;
    const [value, gradient] = valueAndGrad(loss)(tree.ref(parameters), rows);
    const m = tree.map((m: np.Array, g: np.Array) => m.mul(0.9).add(g.mul(0.1)), first, tree.ref(gradient));
    const v = tree.map(
      (v: np.Array, g: np.Array) => v.mul(0.999).add(np.square(g).mul(0.001)),
      second,
      gradient,
    );
    const updated = tree.map(
      (p: np.Array, m: np.Array, v: np.Array) => p.sub(m.mul(stepSize.ref).div(np.sqrt(v).add(epsilon.ref))),
      parameters,
      tree.ref(m),
      tree.ref(v),
    );
    stepSize.dispose();
    epsilon.dispose();
    return { value, state: { parameters: updated, first: m, second: v } };
  });

  const parameters: Parameters = start.map((layers) => layers.map(toLayer));
  const zeros = () => tree.map((p: np.Array) => np.zerosLike(p), tree.ref(parameters));
  let state: State = { parameters, first: zeros(), second: zeros() };
  let steps = 0;
  return async (rows) => {
    steps++;
    const secondMomentCorrection = Math.sqrt(1 - 0.999 ** steps);
    const stepSize = (1e-3 * secondMomentCorrection) / (1 - 0.9 ** steps);
    const result = step(
      state,
      array(rows, [batch, dim]),
      np.array(stepSize),
      np.array(1e-8 * secondMomentCorrection),
    );
    state = result.state as State;
    // Reading synchronously makes WebAssembly compute on the calling thread. In a page jax-js could use worker threads, but waiting
    // for them costs more than they save: a step of the smallest case takes four times as long.
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
