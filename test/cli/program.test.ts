import { expect, it } from "vitest";
import { programOf, type Start } from "../../src/cli/program.ts";

const start = (file: string, more: Partial<Start> = {}): string =>
  programOf({
    argv: ["/usr/bin/node", file],
    execArgv: [],
    env: { PATH: "/usr/local/bin:/usr/bin" },
    cwd: () => "/home/ada/clone",
    ...more,
  });

it("starts the program again from the same directory", () => {
  expect(start("/usr/local/bin/pushforward")).toBe("pushforward");
  expect(start("/opt/tools/pushforward")).toBe("node /opt/tools/pushforward");
  expect(start("/home/ada/clone/dist/cli/main.js")).toBe("node dist/cli/main.js");
  expect(start("/home/ada/clone/dist/cli/main.js", { cwd: () => "/home/ada/data" })).toBe(
    "node ../clone/dist/cli/main.js",
  );
  expect(start("/home/ada/clone/dist/cli/main.js", { cwd: () => "/tmp/a/b" })).toBe(
    "node /home/ada/clone/dist/cli/main.js",
  );
  expect(start("/home/ada/clone/src/cli/main.ts", { execArgv: ["--import", "tsx"] })).toBe(
    "node --import tsx src/cli/main.ts",
  );
  expect(start("/home/ada/my clone/main.js", { cwd: () => "/home/ada" })).toBe("node 'my clone/main.js'");
});

it("is npx in a project, also in an npm script, where the programs of the project are on the path", () => {
  const bin = "/home/ada/project/node_modules/.bin";
  const env = { PATH: `${bin}:/usr/bin` };
  expect(start(`${bin}/pushforward`, { env })).toBe("npx pushforward");
  expect(start("C:\\project\\node_modules\\pushforward\\dist\\cli\\main.js")).toBe("npx pushforward");
});
