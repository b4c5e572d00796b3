// The service worker of the studio. The build writes two constants before this text: FILES, the addresses of its files, and VERSION, which
// changes with them. They are cached at the first visit, ONNX Runtime's WebAssembly too, so that later visits need no network. Assets that
// few visitors use are not among them, and are cached when they are used.

const CACHE = `pushforward-studio-${VERSION}`;

self.addEventListener("install", (event) => event.waitUntil(cacheFiles()));
self.addEventListener("activate", (event) => event.waitUntil(removeOldFiles()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event));
});

async function cacheFiles() {
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

/** Names of assets change with their content, so cached assets are never outdated. Other files may be, so they come from the network if there is one. */
async function answer(event) {
  const { request } = event;
  const cache = await caches.open(CACHE);
  // Hosts let responses vary with the header Origin, which requests of module scripts have, and those of cacheFiles do not.
  const cached = await cache.match(request, { ignoreVary: true });
  const isAsset = new URL(request.url).pathname.includes("/assets/");
  if (cached && isAsset) return cached;
  try {
    const response = await fetch(request);
    if (isAsset && response.ok) event.waitUntil(cache.put(request, response.clone()));
    return response;
  } catch (error) {
    if (cached) return cached;
    throw error;
  }
}
