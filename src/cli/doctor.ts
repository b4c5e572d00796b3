import { command } from "./command.ts";

export const doctor = command({
  name: "doctor",
  summary: "Shows the versions of what pushforward uses, and tests that it computes.",
  positionals: {},
  options: {},
  details: ["Add the output to a bug report. The exit code is 1 if the test fails."],
  examples: [["doctor", "Versions, execution providers, threads, and a test of a second."]],
  async run(_values, io) {
    const { diagnose } = await import("./diagnose.ts");
    io.stdout.write(await diagnose());
  },
});
