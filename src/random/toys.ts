import { noisyCurve } from "./noisyCurve.ts";
import { forRows, type Toy, toy } from "./toy.ts";

const { cos, exp, floor, log, PI, sin, sqrt } = Math;

/** The log-density of a normal distribution. */
const logNormal = (x: number, mean: number, deviation: number): number =>
  -0.5 * ((x - mean) / deviation) ** 2 - log(deviation) - 0.5 * log(2 * PI);

/**
 * Figure 1 of MAF (Papamakarios et al. 2017): y ~ N(0, 4), x | y ~ N(y^2 / 4, 1). Its Jacobian is constant, so its entropy is
 * exact.
 */
const banana = toy(
  { uniforms: 0, normals: 2, row: (_, [z0, z1]) => [z0! + z1! ** 2, 2 * z1!] },
  {
    entropy: log(2 * PI * Math.E) + log(2),
    logDensity: forRows((x, y) => logNormal(y, 0, 2) + logNormal(x, y ** 2 / 4, 1)),
    range: [
      [-3, 11],
      [-6.5, 6.5],
    ],
  },
);

/** From FFJORD (Grathwohl et al. 2019): uniform on every second of the sixteen squares of [-4, 4]^2, so the entropy is log 32. */
const checkerboard = toy(
  {
    uniforms: 2,
    normals: 0,
    row: ([u0, u1]) => {
      const column = floor(4 * u0!);
      // The two squares of a column have height 2, and their centers are 4 apart.
      const height = 4 * u1!;
      const square = floor(height / 2);
      return [8 * u0! - 4, height + 2 * square - 4 + 2 * (column % 2)];
    },
  },
  {
    entropy: log(32),
    logDensity: forRows((x, y) => {
      if (Number.isNaN(x + y)) return Number.NaN;
      const inside = Math.abs(x) < 4 && Math.abs(y) < 4;
      const even = (floor((x + 4) / 2) + floor((y + 4) / 2)) % 2 === 0;
      return inside && even ? -log(32) : Number.NEGATIVE_INFINITY;
    }),
    range: [
      [-4, 4],
      [-4, 4],
    ],
  },
);

const circle = (radius: number) => (u: number) =>
  [radius * cos(2 * PI * u), radius * sin(2 * PI * u)] as const;

/** Two circles around 0 with radii 3 and 1.5, and noise with standard deviation 0.24. */
const circles = toy(
  {
    uniforms: 2,
    normals: 2,
    row: ([u0, u1], [z0, z1]) => {
      const [x, y] = circle(u0! < 0.5 ? 3 : 1.5)(u1!);
      return [x + 0.24 * z0!, y + 0.24 * z1!];
    },
  },
  {
    entropy: 3.26814,
    logDensity: noisyCurve({ curves: [circle(3), circle(1.5)], noise: 0.24, nodes: 256 }),
    range: [
      [-3.8, 3.8],
      [-3.8, 3.8],
    ],
  },
);

const EIGHT_COMPONENTS = Array.from({ length: 8 }, (_, k) => {
  return { x: sqrt(8) * cos((k * PI) / 4), y: sqrt(8) * sin((k * PI) / 4), deviation: sqrt(1 / 8) };
});

/** A mixture of eight normal distributions with standard deviation 8^-1/2 on the circle of radius 8^1/2. */
const eightGaussians = toy(
  {
    uniforms: 1,
    normals: 2,
    row: ([u], [z0, z1]) => {
      const { x, y, deviation } = EIGHT_COMPONENTS[floor(8 * u!)]!;
      return [x + deviation * z0!, y + deviation * z1!];
    },
  },
  {
    entropy: 2.83158,
    logDensity: forRows((x, y) => {
      const logs = EIGHT_COMPONENTS.map(
        (c) => logNormal(x, c.x, c.deviation) + logNormal(y, c.y, c.deviation),
      );
      const largest = Math.max(...logs);
      if (!Number.isFinite(largest)) return largest;
      return largest + log(logs.reduce((sum, value) => sum + exp(value - largest), 0) / 8);
    }),
    range: [
      [-4.2, 4.2],
      [-4.2, 4.2],
    ],
  },
);

/** Five arms, each a normal distribution rotated by an angle that grows with the radius (Johnson et al. 2016). */
const pinwheel = toy(
  {
    uniforms: 1,
    normals: 2,
    row: ([u], [z0, z1]) => {
      const [along, across] = [1 + 0.3 * z0!, 0.1 * z1!];
      const angle = (2 * PI * floor(5 * u!)) / 5 + 0.25 * exp(along);
      return [2 * (along * cos(angle) - across * sin(angle)), 2 * (along * sin(angle) + across * cos(angle))];
    },
  },
  {
    entropy: 2.31779,
    range: [
      [-4.2, 4.2],
      [-4.2, 4.2],
    ],
  },
);

const spiral = (sign: number) => (u: number) => {
  const angle = 3 * PI * u;
  return [(-sign * angle * cos(angle)) / 3, (sign * angle * sin(angle)) / 3] as const;
};

/** Two spirals of one and a half revolutions, with a density proportional to the radius and noise with standard deviation 0.1. */
const spirals = toy(
  {
    uniforms: 2,
    normals: 2,
    row: ([u0, u1], [z0, z1]) => {
      const [x, y] = spiral(u0! < 0.5 ? 1 : -1)(sqrt(u1!));
      return [x + 0.1 * z0!, y + 0.1 * z1!];
    },
  },
  {
    entropy: 2.54062,
    logDensity: noisyCurve({ curves: [spiral(1), spiral(-1)], noise: 0.1, weight: (u) => 2 * u, nodes: 768 }),
    range: [
      [-3.5, 3.5],
      [-3.5, 3.5],
    ],
  },
);

const roll = (u: number) => {
  const angle = 1.5 * PI * (1 + 2 * u);
  return [(angle * cos(angle)) / 5, (angle * sin(angle)) / 5] as const;
};

/** A spiral of one and a half revolutions, scikit-learn's Swiss roll from the side, with noise of standard deviation 0.2. */
const swissRoll = toy(
  {
    uniforms: 1,
    normals: 2,
    row: ([u], [z0, z1]) => {
      const [x, y] = roll(u!);
      return [x + 0.2 * z0!, y + 0.2 * z1!];
    },
  },
  {
    entropy: 2.66965,
    logDensity: noisyCurve({ curves: [roll], noise: 0.2, nodes: 384 }),
    range: [
      [-2.8, 3.4],
      [-3, 3.2],
    ],
  },
);

const upperMoon = (u: number) => [2 * cos(PI * u) - 1, 2 * sin(PI * u) - 0.2] as const;
const lowerMoon = (u: number) => [1 - 2 * cos(PI * u), 0.8 - 2 * sin(PI * u)] as const;

/** Two interleaved half circles of radius 2, with noise of standard deviation 0.2. */
const twoMoons = toy(
  {
    uniforms: 2,
    normals: 2,
    row: ([u0, u1], [z0, z1]) => {
      const [x, y] = (u0! < 0.5 ? upperMoon : lowerMoon)(u1!);
      return [x + 0.2 * z0!, y + 0.2 * z1!];
    },
  },
  {
    entropy: 2.39388,
    logDensity: noisyCurve({ curves: [upperMoon, lowerMoon], noise: 0.2, nodes: 128 }),
    range: [
      [-3.6, 3.6],
      [-1.8, 2.4],
    ],
  },
);

/**
 * Distributions in the plane with known entropy, for trying density models. A seed determines the rows:
 *
 *     const rows = toys.checkerboard(1000, { seed: 1 });
 *
 * Shapes and scales are those of FFJORD's experiments (Grathwohl et al. 2019), except for the banana and for the spirals, whose
 * noise is normal here. The entropies of `banana` and `checkerboard` are exact. The other entropies are integrals of -p log p on a fine
 * grid, precise to all digits given.
 */
export const toys = {
  banana,
  checkerboard,
  circles,
  eightGaussians,
  pinwheel,
  spirals,
  swissRoll,
  twoMoons,
} satisfies Readonly<Record<string, Toy>>;
