import { type CoordinateText, coordinateTex } from "./coordinateTex.ts";
import { dot, type LayerTerms, type Pair } from "./terms.ts";
import { type Line, nats, natsSum, plus, product, texNumber, vector } from "./texNumbers.ts";

/** A layer at a point: the numbers of its formula, its input x, its output z and log |det dz/dx|. */
export interface LayerAtPoint {
  readonly terms: LayerTerms;
  readonly x: Pair;
  readonly z: Pair;
  readonly logDet: number;
}

type Terms<T extends LayerTerms["type"]> = Extract<LayerTerms, { type: T }>;

/** The formula of a layer from x to z and of its log-determinant in TeX, first with letters and then with numbers. */
export function layerTex(at: LayerAtPoint): Line[] {
  const { terms } = at;
  if (terms.type === "coordinates") return coordinatesTex(terms, at);
  if (terms.type === "linear") return linearTex(terms, at);
  if (terms.type === "planar") return planarTex(terms, at);
  if (terms.type === "radial") return radialTex(terms, at);
  return continuousTex(at);
}

const LOG_DET = String.raw`\log\left|\det\right|`;

function coordinatesTex({ letter, maps }: Terms<"coordinates">, { x, z, logDet }: LayerAtPoint): Line[] {
  const coordinates = maps.map((map, i) => coordinateTex(map, { index: i, letter, x: x[i]!, z: z[i]! }));
  const slopes = coordinates.flatMap(({ logSlope }) => logSlope ?? []);
  return [...coordinates.flatMap((each) => each.lines), ...logDetLines(slopes, logDet)];
}

function logDetLines(slopes: readonly NonNullable<CoordinateText["logSlope"]>[], logDet: number): Line[] {
  if (slopes.length === 0) return [[LOG_DET, "0"]];
  const letters = slopes.map(({ tex }) => tex).join(" ");
  return [
    [LOG_DET, letters.replace(/^\+/, "")],
    ...(slopes.length > 1 ? [["", natsSum(slopes.map(({ value }) => value))] as const] : []),
    ["", nats(logDet)],
  ];
}

function linearTex({ rows: [first, second], b }: Terms<"linear">, { x, z, logDet }: LayerAtPoint): Line[] {
  const [[a, c], [d, e]] = [first.map(texNumber), second.map(texNumber)];
  const matrix = String.raw`\begin{pmatrix} ${a} & ${c} \\ ${d} & ${e} \end{pmatrix}`;
  return [
    ["z", "W x + b"],
    ["", `${matrix} ${vector(x)} + ${vector(b)}`],
    ["", vector(z)],
    [LOG_DET, String.raw`\log\left|\det W\right|`],
    ["", nats(logDet)],
  ];
}

function planarTex({ of, u, w, b }: Terms<"planar">, { x, z, logDet }: LayerAtPoint): Line[] {
  const [result, argument] = of === "x" ? (["z", x] as const) : (["x", z] as const);
  const a = dot(w, argument) + b;
  const slope = 1 - Math.tanh(a) ** 2;
  const sign = of === "x" ? "" : "-";
  return [
    [result, String.raw`${of} + \hat u \tanh(a)`],
    ["", String.raw`${vector(argument)} + ${vector(u)} \tanh(${texNumber(a)})`],
    ["", vector(of === "x" ? z : x)],
    ["a", String.raw`w \cdot ${of} + b`],
    ["", plus(plus(product(w[0], argument[0]), w[1], argument[1]), b)],
    [LOG_DET, String.raw`${sign}\log\left(1 + (1 - \tanh^2 a)\, w \cdot \hat u\right)`],
    ["", String.raw`${sign}\log(${plus("1", slope, dot(w, u))})`],
    ["", nats(logDet)],
  ];
}

function radialTex({ center, alpha, beta }: Terms<"radial">, { x, z, logDet }: LayerAtPoint): Line[] {
  const r = Math.hypot(z[0] - center[0], z[1] - center[1]);
  const ratio = beta / (alpha + r);
  const radial = (alpha * beta) / (alpha + r) ** 2;
  return [
    ["z", String.raw`z_0 + (x - z_0) \big/ \left(1 + \tfrac{\beta}{\alpha + r}\right)`],
    [
      "",
      String.raw`${vector(center)} + ${vector([x[0] - center[0], x[1] - center[1]])} \big/ ${texNumber(1 + ratio)}`,
    ],
    ["", vector(z)],
    ["r", `|z - z_0| = ${texNumber(r)}`],
    [String.raw`\alpha`, String.raw`${texNumber(alpha)}, \quad \beta = ${texNumber(beta)}`],
    [
      LOG_DET,
      String.raw`-\log\left(1 + \tfrac{\beta}{\alpha + r}\right) - \log\left(1 + \tfrac{\alpha\beta}{(\alpha + r)^2}\right)`,
    ],
    ["", natsSum([-Math.log1p(ratio), -Math.log1p(radial)])],
    ["", nats(logDet)],
  ];
}

const continuousTex = ({ x, z, logDet }: LayerAtPoint): Line[] => [
  ["z", String.raw`x - \int_0^1 v(y(t), t)\,dt`],
  ["", `${vector(x)} - ${vector([x[0] - z[0], x[1] - z[1]])}`],
  ["", vector(z)],
  [LOG_DET, String.raw`-\int_0^1 \operatorname{tr} \tfrac{\partial v}{\partial y}\,dt`],
  ["", nats(logDet)],
];
