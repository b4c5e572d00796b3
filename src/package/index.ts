/** The version of the package, and the packages that only some users need. */

export {
  ASSISTANTS,
  FIGURES,
  IMAGES,
  importOptional,
  MPI,
  OPTIONAL_PACKAGES,
  SERVER,
  TABLES,
} from "./optionalPackages.ts";
export { VERSION } from "./version.ts";
