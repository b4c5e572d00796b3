import { command } from "./command.ts";

export const doctor = command({
  name: "doctor",
  summary: "Shows the versions of pushforward and its packages, and runs a test computation.",
  positionals: {},
  options: {},
  details: ["Add the output to a bug report. The exit code is 1 if the test fails."],
  examples: [["doctor", "Versions, execution providers, threads, and a test that takes about a second."]],
  async run(_values, io) {
    const { diagnose } = await import("./diagnose.ts");
    io.stdout.write(await diagnose());
  },
});
