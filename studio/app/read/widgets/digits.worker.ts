import { Random } from "pushforward";
import { decodeModel, ImageModel } from "pushforward/flows";
import digits from "../../../../bench/images/digits.safetensors?url";
import { requestHandler } from "../../engine/requests.ts";
import { WASM } from "../../engine/wasm.ts";
import type { DigitRequests } from "./digits.ts";

async function load(): Promise<ImageModel> {
  const response = await fetch(digits).catch(() => undefined);
  if (!response?.ok) throw new Error("The model could not be loaded. Move a slider to try again.");
  return ImageModel.from(await decodeModel(new Uint8Array(await response.arrayBuffer())));
}
let loaded: ImageModel | undefined;
async function digitModel(): Promise<ImageModel> {
  loaded ??= await load();
  return loaded;
}

const handle = requestHandler<DigitRequests>({
  async sample({ digit, temperature, seed, count }) {
    const model = await digitModel();
    const classes = new Array<number>(count).fill(digit);
    return model.sample(count, { classes, temperature, seed, ...WASM });
  },
  async interpolate({ digit, temperature, seed, count }) {
    const model = await digitModel();
    const D = model.features;
    const ends = new Random(seed).normal(new Float64Array(2 * D));
    const latent = Float64Array.from({ length: count * D }, (_, i) => {
      // On the arc between two points the distance from 0 stays that of typical points.
      const angle = (Math.floor(i / D) / (count - 1)) * (Math.PI / 2);
      return temperature * (Math.cos(angle) * ends[i % D]! + Math.sin(angle) * ends[D + (i % D)]!);
    });
    return model.toPixels(latent, { classes: new Array<number>(count).fill(digit), ...WASM });
  },
});

self.onmessage = ({ data }) => handle(data);
