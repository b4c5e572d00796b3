import { PushforwardError } from "../check/index.ts";

/**
 * The packages that only some users need, with the versions that pushforward is tested with. They are optional peer
 * dependencies: a page or a service that only scores need not install them, 100 MB in all.
 */
export const OPTIONAL_PACKAGES = {
  "@duckdb/node-api": "1.5.6-r.1",
  "@expo-google-fonts/arimo": "0.4.3",
  "@hono/node-server": "2.1.9",
  "@modelcontextprotocol/sdk": "1.32.2",
  "@observablehq/plot": "0.6.17",
  "@resvg/resvg-js": "2.6.2",
  "@uwdata/flechette": "2.6.0",
  "fast-png": "8.0.0",
  hono: "4.13.19",
  "jpeg-js": "0.4.4",
  koffi: "3.3.4",
  linkedom: "0.18.15",
} as const;

export type OptionalPackage = keyof typeof OPTIONAL_PACKAGES;

/** A feature with the packages that it needs. */
export interface OptionalFeature {
  /** The subject of the error message. */
  readonly name: string;
  readonly packages: readonly OptionalPackage[];
}

export const TABLES: OptionalFeature = { name: "tables", packages: ["@duckdb/node-api"] };
export const FIGURES: OptionalFeature = {
  name: "figures",
  packages: ["@observablehq/plot", "linkedom", "@resvg/resvg-js", "@expo-google-fonts/arimo"],
};
export const SERVER: OptionalFeature = {
  name: "servers",
  packages: ["hono", "@hono/node-server", "@uwdata/flechette"],
};
export const ASSISTANTS: OptionalFeature = {
  name: "tools for assistants",
  packages: ["@modelcontextprotocol/sdk"],
};
export const MPI: OptionalFeature = { name: "MPI jobs", packages: ["koffi"] };
export const IMAGES: OptionalFeature = { name: "images", packages: ["fast-png", "jpeg-js"] };

/**
 * Calls `load`, which imports packages of a feature. If one is not installed, throws `DEPENDENCY` with the command that installs
 * all packages of the feature.
 */
export async function importOptional<T>(feature: OptionalFeature, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const missing = /Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/.exec(
      (cause as Error).message,
    )?.[1];
    if (missing === undefined || !(missing in OPTIONAL_PACKAGES)) throw cause;
    throw new PushforwardError(
      "DEPENDENCY",
      `${feature.name} need the package ${missing}, which is not installed`,
      {
        hint: `Install it: ${installCommand(feature.packages, import.meta.url)}`,
        cause,
      },
    );
  }
}

/** The command that installs packages where the copy of pushforward at `location`, a module's URL, finds them. */
export function installCommand(packages: readonly OptionalPackage[], location: string): string {
  const versions = packages.map((name) => `${name}@${OPTIONAL_PACKAGES[name]}`);
  // npx runs a package from its cache, where packages of the current directory are not found.
  if (location.includes("/_npx/"))
    return `npx ${["pushforward", ...versions].map((name) => `-p ${name}`).join(" ")} pushforward`;
  const isGlobal = /\/(lib|npm)\/node_modules\/pushforward\//.test(location);
  return `npm install ${isGlobal ? "-g " : ""}${versions.join(" ")}`;
}
