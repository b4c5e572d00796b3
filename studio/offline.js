// The service worker of the studio. The build writes three constants before this text: FILES, the addresses of its files, RARE_FILES, those
// that few visitors use, and VERSION, which changes with them. FILES are cached at the first visit, ONNX Runtime's WebAssembly too, so that
// later visits need no network. RARE_FILES are cached when they are used. On localhost, other sites may be served from the same address
// later, so no other files are cached.

const CACHE = `pushforward-studio-${VERSION}`;

const urlsOf = (files) => files.map((file) => new URL(file, self.location).href);
const withoutFragment = (url) => url.replace(/#.*/, "");
const URLS = new Set(urlsOf([...FILES, ...RARE_FILES]));

self.addEventListener("install", (event) => event.waitUntil(cacheFiles()));
self.addEventListener("activate", (event) => event.waitUntil(removeOldFiles()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && URLS.has(withoutFragment(event.request.url)))
    event.respondWith(answer(event));
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
