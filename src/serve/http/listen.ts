import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import { PushforwardError } from "../../check/index.ts";
import { orList } from "../../tables/io/index.ts";

/** Where a server listens. */
export interface ListenOptions {
  readonly host: string;
  /** 0 stands for any free port. */
  readonly port: number;
  /** The largest number of connections at the same time. Further connections are closed. */
  readonly connections: number;
}

/** A running server. */
export interface RunningServer {
  /** The URL of its page. */
  readonly url: string;
  /** Refuses new connections, and waits a second at most for the running requests. */
  close(): Promise<void>;
}

/** A client must send its request within this time. */
const REQUEST_MILLISECONDS = 30_000;
/** Running requests have this long to end. A command that does not end soon after a signal is killed. */
const CLOSE_MILLISECONDS = 1000;

/** The names of this machine in URLs. */
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host.startsWith("127.");

/** A host as it is written in a URL. */
const inUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/**
 * The application for requests whose Host header is one of `hosts`. Other requests get 403: a web site whose name resolves to this machine
 * (DNS rebinding) could otherwise read the answers in a browser.
 */
function onlyOfHosts(app: Hono, hosts: readonly string[]): Pick<Hono, "fetch"> {
  return {
    fetch: (request, ...rest) =>
      hosts.includes(new URL(request.url).hostname)
        ? app.fetch(request, ...rest)
        : Response.json({ error: `the header Host must be ${orList(hosts)}` }, { status: 403 }),
  };
}

/**
 * Starts a server. One that listens on a loopback host answers only requests that name this machine.
 *
 * @throws ARGUMENT if it cannot listen there, because the port is taken or the host is not one of this machine.
 */
export async function listen(app: Hono, { host, port, connections }: ListenOptions): Promise<RunningServer> {
  const { fetch } = isLoopback(host) ? onlyOfHosts(app, [...new Set([...LOOPBACK_NAMES, inUrl(host)])]) : app;
  const server = serve({ fetch, hostname: host, port }) as Server;
  server.maxConnections = connections;
  server.requestTimeout = REQUEST_MILLISECONDS;
  server.headersTimeout = REQUEST_MILLISECONDS;
  try {
    if (!server.listening) await once(server, "listening");
  } catch (cause) {
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw new PushforwardError("ARGUMENT", `the server cannot listen on ${inUrl(host)}:${port}`, {
      received: code,
      hint: ["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN"].includes(code)
        ? "Give an address of this machine: --host 127.0.0.1, or --host 0.0.0.0 for all of them"
        : "Take any free port: --port 0",
      cause,
    });
  }
  let isClosing = false;
  server.prependListener("request", (_request, response: ServerResponse) => {
    // Otherwise a client could send requests on the same connection for ever.
    if (isClosing) response.setHeader("Connection", "close");
  });
  const address = server.address();
  const actualPort = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://${inUrl(host)}:${actualPort}/`,
    async close() {
      isClosing = true;
      const closed = once(server, "close");
      server.close();
      // Connections stay open after their request, and then are idle.
      const timer = setInterval(() => server.closeIdleConnections(), 50);
      const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MILLISECONDS);
      await closed;
      clearInterval(timer);
      clearTimeout(deadline);
    },
  };
}
