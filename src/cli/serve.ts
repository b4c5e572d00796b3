import { command } from "./command.ts";
import { engine } from "./engine.ts";
import { integerFrom, text } from "./options.ts";

export const serve = command({
  name: "serve",
  summary: "Answers requests for scores, samples, imputed values and anomalies over HTTP.",
  positionals: {
    models: { variadic: true, description: "Model files. Each is served under the name of its file." },
  },
  options: {
    port: integerFrom(
      0,
      { valueName: "PORT", default: "8080", example: "8081", description: "0 takes any free port." },
      65_535,
    ),
    host: text({
      valueName: "HOST",
      default: "127.0.0.1",
      description:
        "The address to listen on. 0.0.0.0 serves other machines too, without encryption or passwords.",
    }),
    maxRows: integerFrom(1, {
      valueName: "N",
      default: "10000",
      description: "The largest number of rows of a request.",
    }),
    maxBytes: integerFrom(1, {
      valueName: "N",
      default: "10000000",
      description: "The largest body of a request in bytes.",
    }),
    ...engine,
  },
  details: [
    "You can try the models on the page at /, and /openapi.json describes the requests. docs/serve.md has examples.",
    "On a loopback host such as 127.0.0.1, only requests with its name or localhost in the header Host are answered.",
    "Ctrl-C or SIGTERM ends the server, which waits at most one second for running requests.",
  ],
  examples: [
    ["serve model.safetensors", "One model, for this machine, at http://127.0.0.1:8080/."],
    ["serve houses.safetensors quakes.safetensors --port 9000", "Two models."],
  ],
  async run(values, io) {
    const { serveModels } = await import("./serveModels.ts");
    await serveModels(values, io);
  },
});
