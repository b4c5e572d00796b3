import type { Component } from "svelte";
import type { Studio } from "../studio.svelte.ts";

export type ChapterProps = { readonly studio: Studio };

interface Chapter {
  readonly title: string;
  readonly load: () => Promise<{ default: Component<ChapterProps> }>;
}

/** The chapters in reading order. Each is loaded when it is opened. */
export const chapters = {
  "one-gaussian": {
    title: "Why one Gaussian is not enough",
    load: () => import("./chapters/OneGaussian.svelte"),
  },
  "change-of-variables": {
    title: "Change of variables",
    load: () => import("./chapters/ChangeOfVariables.svelte"),
  },
  compositions: { title: "Compositions", load: () => import("./chapters/Compositions.svelte") },
  "planar-and-radial": {
    title: "Planar and radial flows",
    load: () => import("./chapters/PlanarAndRadial.svelte"),
  },
  coupling: { title: "Coupling: NICE and RealNVP", load: () => import("./chapters/Coupling.svelte") },
  autoregressive: {
    title: "Autoregressive flows",
    load: () => import("./chapters/Autoregressive.svelte"),
  },
  splines: { title: "Splines", load: () => import("./chapters/Splines.svelte") },
  images: { title: "Glow and images", load: () => import("./chapters/Images.svelte") },
  bounds: { title: "Bounds and exact likelihoods", load: () => import("./chapters/Bounds.svelte") },
  "variational-inference": {
    title: "Variational inference",
    load: () => import("./chapters/VariationalInference.svelte"),
  },
  continuous: { title: "Continuous flows", load: () => import("./chapters/Continuous.svelte") },
} as const satisfies Readonly<Record<string, Chapter>>;

export type ChapterName = keyof typeof chapters;
export const CHAPTER_NAMES = Object.keys(chapters) as ChapterName[];
