import { expectTypeOf, test } from "vitest";
import type * as z from "zod/mini";
import type { AutoregressiveOptions, autoregressiveKind } from "../../src/bijections/autoregressive.ts";
import type { BatchNormOptions, batchNormKind } from "../../src/bijections/batchNorm.ts";
import type {
  BlockAutoregressiveOptions,
  blockAutoregressiveKind,
} from "../../src/bijections/blockAutoregressive.ts";
import type { ContinuousOptions, continuousKind } from "../../src/bijections/continuous.ts";
import type { CouplingOptions, couplingKind } from "../../src/bijections/coupling.ts";
import type { ElementwiseOptions, elementwiseKind } from "../../src/bijections/elementwise.ts";
import type { HouseholderOptions, householderKind } from "../../src/bijections/householder.ts";
import type { LULinearOptions, luLinearKind } from "../../src/bijections/luLinear.ts";
import type { PlanarOptions, planarKind } from "../../src/bijections/planar.ts";
import type { QRLinearOptions, qrLinearKind } from "../../src/bijections/qrLinear.ts";
import type { RadialOptions, radialKind } from "../../src/bijections/radial.ts";
import type { RealNVPCouplingOptions, realNVPCouplingKind } from "../../src/bijections/realNVPCoupling.ts";
import type { ResidualOptions, residualKind } from "../../src/bijections/residual.ts";
import type { ScalarTransformOptions, scalarTransformKinds } from "../../src/bijections/scalar/registry.ts";
import type { SylvesterOptions, sylvesterKind } from "../../src/bijections/sylvester.ts";
import type {
  ContextEmbeddingOptions,
  contextEmbeddingSchema,
} from "../../src/distributions/contextEmbedding.ts";
import type { MadeOptions, madeKind } from "../../src/distributions/made.ts";
import type { ResampledOptions, resampledKind } from "../../src/distributions/resampled.ts";
import type { FlowDescription, flowSchema } from "../../src/flows/flowDescription.ts";
import type { Activation, activationSchema } from "../../src/nn/activation.ts";
import type { NetworkDescription, NetworkOptions, networkSchema } from "../../src/nn/mlp.ts";
import type { DensitySettings, densitySettingsSchema } from "../../src/train/densityOptions.ts";
import type { OptimizerOptions, optimizerSchema } from "../../src/train/optimizer.ts";
import type {
  FitSettings,
  fitSettingsSchema,
  MinimizeSettings,
  minimizeSettingsSchema,
} from "../../src/train/options.ts";
import type { ScheduleOptions, scheduleSchema } from "../../src/train/schedule.ts";

// Interfaces of options are written by hand, for their docstrings; schemas check the same options at run time. These tests are
// for the type checker, which fails if a field, its type or whether it is optional differs.

/** The options of the constructor of a kind: its description without the type. */
type OptionsOf<K extends { schema: z.ZodMiniType }> = Omit<z.input<K["schema"]>, "type">;

/** Flattens an intersection of object types to one object type. */
type Merged<T> = { [K in keyof T]: T[K] };

test("options of bijections have the types of their schemas", () => {
  expectTypeOf<AutoregressiveOptions>().toEqualTypeOf<OptionsOf<typeof autoregressiveKind>>();
  expectTypeOf<BatchNormOptions>().toEqualTypeOf<OptionsOf<typeof batchNormKind>>();
  expectTypeOf<BlockAutoregressiveOptions>().toEqualTypeOf<OptionsOf<typeof blockAutoregressiveKind>>();
  expectTypeOf<ContinuousOptions>().toEqualTypeOf<OptionsOf<typeof continuousKind>>();
  expectTypeOf<CouplingOptions>().toEqualTypeOf<OptionsOf<typeof couplingKind>>();
  expectTypeOf<ElementwiseOptions>().toEqualTypeOf<OptionsOf<typeof elementwiseKind>>();
  expectTypeOf<HouseholderOptions>().toEqualTypeOf<OptionsOf<typeof householderKind>>();
  expectTypeOf<LULinearOptions>().toEqualTypeOf<OptionsOf<typeof luLinearKind>>();
  expectTypeOf<PlanarOptions>().toEqualTypeOf<OptionsOf<typeof planarKind>>();
  expectTypeOf<QRLinearOptions>().toEqualTypeOf<OptionsOf<typeof qrLinearKind>>();
  expectTypeOf<RadialOptions>().toEqualTypeOf<OptionsOf<typeof radialKind>>();
  expectTypeOf<RealNVPCouplingOptions>().toEqualTypeOf<OptionsOf<typeof realNVPCouplingKind>>();
  expectTypeOf<ResidualOptions>().toEqualTypeOf<OptionsOf<typeof residualKind>>();
  expectTypeOf<SylvesterOptions>().toEqualTypeOf<OptionsOf<typeof sylvesterKind>>();
});

test("options of scalar transforms have the types of their schemas", () => {
  type FromSchemas = z.input<(typeof scalarTransformKinds)[number]["schema"]>;
  type Type = FromSchemas["type"];
  // Several types may share an interface: the four splines have the same options.
  type OfType<Union extends { type: string }, T> = Union extends unknown
    ? T extends Union["type"]
      ? Omit<Union, "type">
      : never
    : never;
  expectTypeOf<ScalarTransformOptions["type"]>().toEqualTypeOf<Type>();
  expectTypeOf<{ [T in Type]: OfType<ScalarTransformOptions, T> }>().toEqualTypeOf<{
    [T in Type]: OfType<FromSchemas, T>;
  }>();
});

test("options of distributions have the types of their schemas", () => {
  expectTypeOf<MadeOptions>().toEqualTypeOf<OptionsOf<typeof madeKind>>();
  expectTypeOf<ResampledOptions>().toEqualTypeOf<OptionsOf<typeof resampledKind>>();
  expectTypeOf<ContextEmbeddingOptions>().toEqualTypeOf<z.input<typeof contextEmbeddingSchema>>();
});

test("training settings have the types of their schemas", () => {
  expectTypeOf<OptimizerOptions>().toEqualTypeOf<z.input<typeof optimizerSchema>>();
  expectTypeOf<ScheduleOptions>().toEqualTypeOf<z.input<typeof scheduleSchema>>();
  expectTypeOf<FitSettings>().toEqualTypeOf<z.input<typeof fitSettingsSchema>>();
  expectTypeOf<MinimizeSettings>().toEqualTypeOf<z.input<typeof minimizeSettingsSchema>>();
  type Density = z.input<typeof densitySettingsSchema>;
  expectTypeOf<Omit<DensitySettings, "schedule">>().toEqualTypeOf<Omit<Density, "schedule">>();
  expectTypeOf<Merged<DensitySettings["schedule"]>>().toEqualTypeOf<Density["schedule"]>();
});

test("options of networks and descriptions of flows have the types of their schemas", () => {
  expectTypeOf<Activation>().toEqualTypeOf<z.input<typeof activationSchema>>();
  expectTypeOf<NetworkOptions>().toEqualTypeOf<z.input<typeof networkSchema>>();
  expectTypeOf<NetworkDescription>().toEqualTypeOf<z.output<typeof networkSchema>>();
  expectTypeOf<FlowDescription>().toEqualTypeOf<z.input<typeof flowSchema>>();
});
