import { PushforwardError } from "../errors.ts";
import type { Settings } from "./fitSettings.ts";
import { count } from "./format.ts";

type Kind = Exclude<Settings["flow"], "default">;
type Shape = Pick<Settings, "transforms" | "hidden"> & { features: number; context: number };

/** How many numbers the networks output for each feature. */
const OUTPUTS: Readonly<Record<Kind, number>> = {
  nsf: 23,
  maf: 2,
  realnvp: 2,
  glow: 2,
  nice: 1,
  iaf: 2,
  planar: 2,
  naf: 24,
  cnf: 1,
};

/** About how many parameters a flow will have: those of dense networks, of which masked ones store about half. */
export function estimatedParameters(kind: Kind, { features, context, transforms, hidden }: Shape): number {
  const layers = transforms ?? { nice: 4, planar: 32, cnf: 1 }[kind as string] ?? 5;
  // Networks of planar layers are those of the context.
  if (kind === "planar" && context === 0) return layers * (2 * features + 1);
  const inputs = kind === "planar" ? context : features + context;
  const widths = [inputs, ...(hidden ?? [64, 64]), features * OUTPUTS[kind]];
  // Each unit has a bias, and in a continuous flow some weights of the time.
  const own = kind === "cnf" ? 5 : 1;
  const network = widths.slice(1).reduce((sum, width, i) => sum + (widths[i]! + own) * width, 0);
  const map = kind === "glow" ? features ** 2 : 0;
  return layers * (network + map);
}

/** More parameters would need more than 4 GB in training. */
const MAX_PARAMETERS = 100_000_000;
/** For each parameter: its weight, three moving averages, the best weight, and a gradient in each thread. */
const BYTES_IN_TRAINING = 40;

/** @throws ARGUMENT for a flow that is too large, before memory is asked for it. */
export function checkFlowSize(kind: Settings["flow"], shape: Shape): void {
  if (kind === "default") return;
  const parameters = estimatedParameters(kind, shape);
  if (parameters <= MAX_PARAMETERS) return;
  const rounded = Number(parameters.toPrecision(2));
  const gigabytes = Math.ceil((rounded * BYTES_IN_TRAINING) / 1e9);
  throw new PushforwardError("ARGUMENT", "The flow would be too large", {
    expected: `at most ${count(MAX_PARAMETERS)} parameters`,
    received: `about ${count(rounded)}, which need ${count(gigabytes)} GB in training`,
    hint: "Lower --hidden or --transforms.",
  });
}
