// The service worker of the studio. The build writes two constants before this text: FILES, the addresses of its files, and VERSION, which
// changes with them. All files are kept at the first visit, ONNX Runtime's WebAssembly too, so that later visits need no network.

const CACHE = `pushforward-studio-${VERSION}`;

self.addEventListener("install", (event) => event.waitUntil(keepFiles()));
self.addEventListener("activate", (event) => event.waitUntil(removeOldFiles()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function keepFiles() {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES);
  await self.skipWaiting();
}

async function removeOldFiles() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("pushforward-studio-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The names of assets change with their content, so they are never outdated. Other files are, so they come from the network if there is one. */
async function answer(request) {
  const cache = await caches.open(CACHE);
  // Hosts let answers vary with the header Origin, which module scripts have and the requests that kept the files do not.
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept && new URL(request.url).pathname.includes("/assets/")) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
