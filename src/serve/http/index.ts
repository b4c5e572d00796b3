/** The HTTP server of models and of the studio, which needs hono. */

export { serveApp } from "./app.ts";
export { listen } from "./listen.ts";
export { openingFragment, type StudioFile, studioApp } from "./studioApp.ts";
