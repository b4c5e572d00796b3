import { createReadStream } from "node:fs";
import { Writable } from "node:stream";
import { isatty } from "node:tty";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { PushforwardError } from "../check/index.ts";
import { VERSION } from "../package/index.ts";
import type { AllowedDirectories } from "./allowedDirectories.ts";
import { writeFailure } from "./failure.ts";
import { type Io, interruption } from "./io.ts";
import { TOOLS, type Tool } from "./mcpTools.ts";
import { run } from "./run.ts";

/** Longer answers would fill the context of an assistant. */
const MAX_ANSWER_CHARACTERS = 20_000;
/** In place of hints about the command line, which the assistant does not see. */
const SCHEMA_HINT = "Look at the schema of the tool.";
/** The least time between two notifications of progress. */
const MIN_PROGRESS_MILLISECONDS = 500;

/** Serves the tools over standard input and output, until the assistant closes standard input or the command is interrupted. */
export async function serveTools(
  directories: AllowedDirectories,
  { stdout, interrupted }: Io,
): Promise<void> {
  if (isatty(0)) {
    throw new PushforwardError("ARGUMENT", "standard input is a terminal", {
      expected: "an assistant that speaks the Model Context Protocol",
      hint: "Add the command to the configuration of the assistant; see docs/mcp.md.",
    });
  }
  // The command runs in a worker thread, in which process.stdin does not read file descriptor 0.
  const stdin = createReadStream("", { fd: 0, autoClose: false });
  const server = toolServer(directories);
  const closed = new Promise<void>((resolve) => {
    stdin.once("end", resolve).once("error", () => resolve());
  });
  await server.connect(new StdioServerTransport(stdin, stdout as Writable));
  await Promise.race([closed, interruption({ interrupted })]);
  await server.close();
  stdin.destroy();
}

/** A server of the tools for any transport. */
export function toolServer(directories: AllowedDirectories): Server {
  const server = new Server(
    { name: "pushforward", version: VERSION },
    {
      capabilities: { tools: {} },
      instructions: `pushforward learns the probability distribution of tables. Paths are relative to ${directories.names}; other files cannot be read or written, and files that exist are not replaced, except for a model whose training run continues. Look at a table with columns, fit a model to it with fit, and test the model with report before you trust it.`,
    },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: TOOLS.map(({ name, description, inputSchema, isReadOnly }) => ({
      name,
      description,
      inputSchema,
      annotations: { readOnlyHint: isReadOnly, destructiveHint: false, openWorldHint: false },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, sendNotification, _meta }) => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (!tool) {
      return failure(
        new PushforwardError("ARGUMENT", `there is no tool ${params.name}`, {
          expected: `one of ${TOOLS.map(({ name }) => name).join(", ")}`,
          hint: "Call one of these tools.",
        }),
      );
    }
    const progressToken = _meta?.progressToken;
    let progress = 0;
    let sentAt = Number.NEGATIVE_INFINITY;
    const onProgress = (message: string) => {
      const now = performance.now();
      if (progressToken === undefined || now - sentAt < MIN_PROGRESS_MILLISECONDS) return;
      sentAt = now;
      const notification = { progressToken, progress: ++progress, message };
      // Sending fails if the client has disconnected.
      sendNotification({ method: "notifications/progress", params: notification }).catch(() => {});
    };
    return directories.reserving((ofCall) =>
      call(tool, params.arguments ?? {}, ofCall, { interrupted: signal, onProgress }),
    );
  });
  return server;
}

async function call(
  tool: Tool,
  args: unknown,
  directories: AllowedDirectories,
  io: Pick<Io, "interrupted" | "onProgress">,
): Promise<CallToolResult> {
  let words: string[];
  try {
    words = await tool.words(args, directories);
  } catch (error) {
    return failure(error);
  }
  const [stdout, stderr] = [collector(), collector()];
  const code = await run(words, { stdout, stderr, env: {}, ...io });
  const messages = stderr.text().replace(/^See .* --help\.$/m, SCHEMA_HINT);
  return answer(`${stdout.text()}${messages}`, code !== 0);
}

/** An error before the command runs. The default hint for invalid arguments is about the command line. */
function failure(error: unknown): CallToolResult {
  const stderr = collector();
  const isInvalid = error instanceof PushforwardError && error.code === "ARGUMENT" && !error.hint;
  const hinted = isInvalid
    ? new PushforwardError("ARGUMENT", error.what.replace(/\.$/, ""), {
        hint: SCHEMA_HINT,
      })
    : error;
  writeFailure(hinted, { stderr, env: {} });
  return answer(stderr.text(), true);
}

function answer(text: string, isError: boolean): CallToolResult {
  const isLong = text.length > MAX_ANSWER_CHARACTERS;
  const shown = isLong
    ? `${text.slice(0, MAX_ANSWER_CHARACTERS)}\n... The answer is longer. Give an output, or ask for fewer rows or columns.`
    : text;
  return { content: [{ type: "text", text: shown }], isError };
}

/** An output that keeps the beginning of what is written to it. */
function collector() {
  let text = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      if (text.length <= MAX_ANSWER_CHARACTERS) text += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: () => text });
}
