import type { Protocol } from "./protocol.ts";
import { adbench } from "./protocols/adbench.ts";
import { conditional } from "./protocols/conditional.ts";
import { earth } from "./protocols/earth.ts";
import { energies } from "./protocols/energies.ts";
import { madeBinary } from "./protocols/madeBinary.ts";
import { mnist } from "./protocols/mnist.ts";
import { orderingsProtocol } from "./protocols/orderings.ts";
import { rnade } from "./protocols/rnade.ts";
import { toys } from "./protocols/toys.ts";

/** All protocols in alphabetical order. */
export const protocols: readonly Protocol[] = [
  adbench,
  conditional,
  earth,
  energies,
  madeBinary,
  mnist,
  orderingsProtocol,
  rnade,
  toys,
];

/** Throws an error that lists all names if there is no protocol of this name. */
export function protocolNamed(name: string | undefined): Protocol {
  const protocol = protocols.find((each) => each.name === name);
  if (protocol) return protocol;
  const names = protocols.map(({ name }) => name).join(", ");
  throw new Error(`Unknown protocol: received ${name ?? "none"}, expected one of ${names}.`);
}
