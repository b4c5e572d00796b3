// Measures `pushforward serve` on this machine: throughput and latency of requests for the score of one row, with and without computing
// waiting requests together, and memory and answers while 1,000 clients send requests and others send invalid ones or disconnect. Writes
// serve/RESULTS.md.
//
//     npm run bench:serve
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "./speed/table.ts";

const SECONDS = 6;
const CONNECTIONS = [1, 16, 64, 256];
const CLIENTS = 1000;
const ROUNDS = 6;
const MAX_BYTES = 1_000_000;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "pushforward-serve-"));
const path = (name: string) => join(directory, name);
const COMMAND = ["--import", "tsx", here("../src/cli/main.ts")];
const EARTHQUAKES = here("../examples/data/earthquakes.csv");
const ROW = { lon: 142.4, lat: 38.3, depth_km: 29, mag: 5.1 };

/** A process that serves the model. It is stopped at the end of the block that has it. */
interface Server extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts the command. Without batching a call of the model has one row. */
async function serve(maxRows: number): Promise<Server> {
  const words = ["serve", path("quakes.safetensors"), "--port", "0", "--max-rows", String(maxRows)];
  const child = spawn(process.execPath, [...COMMAND, ...words, "--max-bytes", String(MAX_BYTES)]);
  let text = "";
  for await (const chunk of child.stderr) {
    text += chunk;
    const url = /http:\S+/.exec(text)?.[0];
    if (url) return { process: child, url: `${url}models/quakes`, [Symbol.asyncDispose]: () => stop(child) };
  }
  throw new Error(`the server did not start: ${text}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

const megabytes = ({ process: { pid } }: Server): number =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

/** What autocannon reports, in milliseconds and requests per second. */
interface Load {
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly requests: { readonly average: number; readonly total: number };
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  readonly errors: number;
}

/** Sends requests for the score of a row from this number of connections. */
async function load({ url }: Server, connections: number, seconds: number): Promise<Load> {
  const words = [
    "-c",
    String(connections),
    "-d",
    String(seconds),
    "-m",
    "POST",
    "-t",
    "30",
    "-i",
    path("body.json"),
  ];
  const header = ["-H", "Content-Type=application/json"];
  const autocannon = here("../node_modules/autocannon/autocannon.js");
  const child = spawn(process.execPath, [
    autocannon,
    ...words,
    ...header,
    "--json",
    "--no-progress",
    `${url}/score`,
  ]);
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return JSON.parse(text) as Load;
}

/** Requests that a server must refuse, with the status of the answer. */
const FAULTS: readonly { name: string; path: string; status: number; body: string; type?: string }[] = [
  { name: "not JSON", path: "/score", status: 400, body: "{" },
  { name: "a nested array, 100,000 deep", path: "/score", status: 400, body: "[".repeat(100_000) },
  {
    name: "a wrong type",
    path: "/score",
    status: 400,
    body: JSON.stringify({ rows: [{ ...ROW, mag: "five" }] }),
  },
  { name: "too many rows", path: "/sample", status: 400, body: JSON.stringify({ rows: 1e9 }) },
  {
    name: "a damaged Arrow stream",
    path: "/score",
    status: 400,
    body: "ARROW1",
    type: "application/vnd.apache.arrow.stream",
  },
  { name: "a body over the limit", path: "/score", status: 413, body: " ".repeat(MAX_BYTES + 1) },
  { name: "another model", path: "-other/score", status: 404, body: "{}" },
];

/** Sends a request on a new connection, since the server closes the connection of a body that it does not read. Returns the status. */
const send = (url: URL, type: string, body: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", agent: false, headers: { "Content-Type": type } },
      (response) => {
        response.resume();
        resolve(response.statusCode!);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });

interface FaultCounts {
  disconnected: number;
  /** Answers by the name of the fault and the status. */
  readonly answers: Map<string, number>;
}

/** Sends all faults and disconnects clients in the middle of a request, again and again until the signal. */
async function sendFaults({ url }: Server, signal: AbortSignal): Promise<FaultCounts> {
  const counts: FaultCounts = { disconnected: 0, answers: new Map() };
  const { hostname, port } = new URL(url);
  while (!signal.aborted) {
    for (const { path: address, body, type = "application/json", name } of FAULTS) {
      const status = await send(new URL(url + address), type, body);
      const key = `${name}: ${status}`;
      counts.answers.set(key, (counts.answers.get(key) ?? 0) + 1);
    }
    const rows = JSON.stringify({ rows: [ROW] });
    for (const sent of [rows, rows.slice(0, 9)]) {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      const address = "POST /models/quakes/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
      socket.write(`${address}Content-Length: ${rows.length}\r\n\r\n${sent}`, () => socket.destroy());
      await once(socket, "close");
      counts.disconnected++;
    }
  }
  return counts;
}

async function measureBatching(): Promise<string> {
  const rows: string[][] = [];
  await using single = await serve(1);
  await using batching = await serve(10_000);
  const servers = [
    { name: "no", server: single },
    { name: "yes", server: batching },
  ];
  for (const { server } of servers) await load(server, 16, 2);
  // The servers with and without batching alternate, so that other programs on the machine disturb both.
  for (const connections of CONNECTIONS) {
    for (const { name, server } of servers) {
      const { latency, requests } = await load(server, connections, SECONDS);
      const numbers = [Math.round(requests.average), latency.p50, latency.p99];
      rows.push([`${connections}`, name, ...numbers.map(String)]);
    }
  }
  return table(["clients", "batching", "requests / s", "median ms", "99% ms"], rows);
}

async function measureFaults(): Promise<{ memory: string; answers: string }> {
  await using server = await serve(10_000);
  await load(server, CLIENTS, 3);
  const rows: string[][] = [];
  const answers = new Map<string, number>();
  for (let round = 1; round <= ROUNDS; round++) {
    const end = new AbortController();
    // Awaited at the same time: an error of either one, such as that of a connection, would otherwise end the program without cleanup.
    const [counts, { statusCodeStats: stats, errors }] = await Promise.all([
      sendFaults(server, end.signal),
      load(server, CLIENTS, SECONDS).finally(() => end.abort()),
    ]);
    for (const [key, count] of counts.answers) answers.set(key, (answers.get(key) ?? 0) + count);
    const count = (status: string) => stats[status]?.count ?? 0;
    const all = Object.values(stats).reduce((sum, each) => sum + each.count, 0);
    const other = all - count("200") - count("503");
    const refused = Array.from(counts.answers.values()).reduce((sum, each) => sum + each, 0);
    const memory = `${Math.round(megabytes(server))} MB`;
    const numbers = [count("200"), count("503"), other, errors, counts.disconnected, refused];
    rows.push([`${round}`, memory, ...numbers.map(String)]);
  }
  const { status } = await fetch(new URL("/health", server.url));
  if (status !== 200) throw new Error(`/health answers ${status}`);
  const faults = FAULTS.map(({ name, status }) => {
    const [found, ...more] = Array.from(answers.keys()).filter((key) => key.startsWith(`${name}: `));
    if (more.length > 0 || found !== `${name}: ${status}`)
      throw new Error(`${name}: ${[found, ...more].join(", ")}`);
    return [name, `${status}`, `${answers.get(found)!}`];
  });
  const head = [
    "round",
    "memory of the server",
    "200",
    "503",
    "other",
    "connection errors",
    "disconnected",
    "refused",
  ];
  return { memory: table(head, rows), answers: table(["request", "answer", "times"], faults) };
}

try {
  writeFileSync(path("body.json"), JSON.stringify({ rows: [ROW] }));
  const fit = ["fit", EARTHQUAKES, "--epochs", "10", "-o", path("quakes.safetensors")];
  const child = spawn(process.execPath, [...COMMAND, ...fit], { stdio: "ignore" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("the model was not fitted");
  const batching = await measureBatching();
  const { memory, answers } = await measureFaults();
  writeFileSync(
    here("serve/RESULTS.md"),
    `# The HTTP server under load

\`npm run bench:serve\` serves the default model of the earthquakes on one machine (${availableParallelism()} cores, ${cpus()[0]!.model}, Node
${process.versions.node}), where autocannon sends the requests of all clients. Server, clients and other programs share the cores, so the times compare the lines of a table and
are not reliable for other machines.

## Batching

Each client sends requests for the log-density of one row, the next one when the answer has arrived, for ${SECONDS} seconds. Without batching, which is
\`--max-rows 1\`, each request is a call of the model. With batching, requests that arrive during a call are computed together in the next one.

${batching}

## Faults

${CLIENTS} clients send the same requests in ${ROUNDS} rounds of ${SECONDS} seconds, after one warm-up round. At the same time another program sends requests that
must be refused, and disconnects in the middle of requests or before their answer. The limit of bodies is ${MAX_BYTES} bytes.

${memory}

Every fault got the same answer each time:

${answers}
`,
  );
} finally {
  rmSync(directory, { recursive: true });
}
