/** The service worker keeps the shell of the app for when there is no network; see sw/sw.js. */
export function registerWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  addEventListener('load', () => {
    // Private windows may refuse it; the app works without.
    navigator.serviceWorker.register('/sw.js').catch(() => undefined);
  });
}
