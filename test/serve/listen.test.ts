import { once } from "node:events";
import { get } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveApp } from "../../src/serve/http/app.ts";
import { listen, type RunningServer } from "../../src/serve/http/listen.ts";

const app = serveApp(new Map(), { bytes: 1000, bytesInFlight: 10_000, rows: 10 });
const start = (host: string, port: number) => listen(app, { host, port, connections: 10 });

let server: RunningServer;
beforeAll(async () => {
  server = await start("127.0.0.1", 0);
});
afterAll(() => server.close());

/** The status of the answer to a request with this Host header. */
async function statusFor(host: string): Promise<number> {
  const { port } = new URL(server.url);
  const [response] = await once(get({ port, path: "/health", headers: { host }, agent: false }), "response");
  response.resume();
  return response.statusCode;
}

test("answers only requests to this machine", async () => {
  const answers = await Promise.all(
    ["evil.example", "evil.example:80", "localhost", "127.0.0.1:1", "[::1]"].map((host) => statusFor(host)),
  );
  expect(answers).toEqual([403, 403, 200, 200, 200]);
});

test("says what to change if it cannot listen", async () => {
  const { port } = new URL(server.url);
  await expect(start("127.0.0.1", Number(port))).rejects.toThrow("Take any free port: --port 0");
  await expect(start("192.0.2.1", 0)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the server cannot listen on 192.0.2.1:0: received EADDRNOTAVAIL.
    Give an address of this machine: --host 127.0.0.1, or --host 0.0.0.0 for all of them]
  `);
});
