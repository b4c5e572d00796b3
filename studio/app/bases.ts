/** The base distributions of pushforward that the page offers. This module does not import them, so that the page loads fast. */

export type BaseClass = "GaussianMixture" | "Logistic" | "StandardNormal" | "StudentT";

interface Base {
  readonly title: string;
  readonly class: BaseClass;
  /** The first argument of its constructor. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether the constructor draws parameters, from the seed of the setting. */
  readonly isRandom?: true;
}

export const bases = {
  normal: { title: "Standard normal", class: "StandardNormal", options: { features: 2 } },
  logistic: { title: "Logistic", class: "Logistic", options: { features: 2 } },
  studentT: { title: "Student t, learned", class: "StudentT", options: { features: 2 } },
  mixture: {
    title: "Mixture of 8 normal distributions, learned",
    class: "GaussianMixture",
    options: { features: 2, components: 8 },
    isRandom: true,
  },
} as const satisfies Readonly<Record<string, Base>>;

export type BaseName = keyof typeof bases;
export const BASE_NAMES = Object.keys(bases) as BaseName[];
export const baseOf = (name: BaseName): Base => bases[name];
