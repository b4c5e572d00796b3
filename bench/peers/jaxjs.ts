/** jax-js as a peer: its WebAssembly backend, which has one thread in Node. */
import { jaxjsTraining } from "./jaxjsTraining.ts";
import peers from "./package.json" with { type: "json" };
import { serve } from "./serve.ts";

await serve("jax-js", { "@jax-js/jax": peers.dependencies["@jax-js/jax"] }, jaxjsTraining);
