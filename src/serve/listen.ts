import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import { PushforwardError } from "../errors.ts";

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
  /** The address of its page. */
  readonly url: string;
  /** Refuses new connections, and waits a second at most for the running requests. */
  close(): Promise<void>;
}

/** A client must send its request within this time. */
const REQUEST_MILLISECONDS = 30_000;
/** Running requests have this long to end. A command that does not end soon after a signal is killed. */
const CLOSE_MILLISECONDS = 1000;

/** Starts a server. Throws `ARGUMENT` if the port is taken. */
export async function listen(app: Hono, { host, port, connections }: ListenOptions): Promise<RunningServer> {
  const server = serve({ fetch: app.fetch, hostname: host, port }) as Server;
  server.maxConnections = connections;
  server.requestTimeout = REQUEST_MILLISECONDS;
  server.headersTimeout = REQUEST_MILLISECONDS;
  try {
    if (!server.listening) await once(server, "listening");
  } catch (cause) {
    throw new PushforwardError("ARGUMENT", `the server cannot listen on ${host}:${port}`, {
      received: (cause as NodeJS.ErrnoException).code ?? String(cause),
      hint: "Choose another port: --port 8081",
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
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}/`,
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
