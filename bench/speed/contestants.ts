import { fileURLToPath } from "node:url";
import { Contestant } from "./contestant.ts";

const path = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const script = (file: string) => [process.execPath, "--import", "tsx", path(file)];
const python = (library: string) => [process.env.PYTHON ?? "python3", path("peers/torch_peer.py"), library];

const OURS = script("speed/ours.ts");

/** The command that starts each peer. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  zuko: python("zuko"),
  nflows: python("nflows"),
  normflows: python("normflows"),
  torch: python("torch"),
  tfjs: script("peers/tfjs.ts"),
  "jax-js": script("peers/jaxjs.ts"),
};

export const startOurs = (): Promise<Contestant> => Contestant.start("pushforward", OURS);

/** Starts the peers in the comma-separated list, by default all. Prints which are not installed and leaves them out. */
export async function startPeers(names = Object.keys(PEERS).join()): Promise<Contestant[]> {
  const started: Contestant[] = [];
  for (const name of names.split(",")) {
    if (!PEERS[name]) throw new Error(`no peer ${name}; there are ${Object.keys(PEERS).join(", ")}`);
    try {
      started.push(await Contestant.start(name, PEERS[name]));
    } catch (error) {
      console.error(`without ${name}: ${(error as Error).message}`);
    }
  }
  if (started.length === 0)
    throw new Error("no peer is installed: bench/peers/README.md says how to install them");
  return started;
}
