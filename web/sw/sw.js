// Keeps the app's own files, and nothing of anybody's data: what comes from the API is never stored here.
// The build puts the version and the list of files in place of the two names below.
const CACHE = 'shell-' + __VERSION__;
const FILES = __FILES__;

addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(FILES.map((f) => new Request(f, { cache: 'no-cache' })))),
  );
});

// Runs when no tab uses the version before any more, so that no tab loses the files it may still load.
addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((n) => n !== CACHE).map((n) => caches.delete(n))))
      .then(() => clients.claim()),
  );
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    // Downloads and the playground are the server's.
    if (/^\/(export|file|playground|graphql)\b/.test(url.pathname)) return;
    event.respondWith(fetch(request).catch(() => caches.match('/', { ignoreVary: true })));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname, { ignoreVary: true }).then((hit) => hit ?? fetch(request)));
  }
});
