import { expect, test } from "vitest";
import { withoutBlasSettings } from "../../bench/speed/contestant.ts";

test("peers start without settings of OpenBLAS, and with the rest of the environment", () => {
  const environment = {
    PATH: "/usr/bin",
    OPENBLAS_CORETYPE: "Haswell",
    OPENBLAS_L2_SIZE: "512",
    OMP_PROC_BIND: "0",
  };
  expect(withoutBlasSettings(environment)).toEqual({ PATH: "/usr/bin", OMP_PROC_BIND: "0" });
});
