import type { TestProject } from "vitest/node";
import { buildForTests } from "../../studio/test/build.ts";
import { buildSite } from "../build.ts";

/** Builds the site for the path at which the tests serve it. */
export default (project: TestProject) =>
  buildForTests(project, (folder) => buildSite({ folder, base: "/some/path/", logLevel: "error" }));
