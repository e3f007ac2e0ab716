/** Whether the server can be reached: asked for before a page is left, so that nobody is left with the browser's error page. */

const FRESH = 10_000;
/** Milliseconds for which a server that answered is taken to be there still. */
const PATIENCE = 5_000;

const navigation = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);

/** How this page came: by going on ("navigate"), "reload", or "back_forward". Older browsers number the ways. */
export const arrival = navigation?.type ?? ["navigate", "reload", "back_forward"][performance.navigation?.type] ?? "navigate";

/** The status of this page, where the browser tells it. */
export const status = navigation?.responseStatus ?? 0;

let heard = arrival === "back_forward" ? -Infinity : performance.now();
/** @type {Promise<boolean> | null} */
let asking = null;

/** @returns {boolean} whether the server answered a moment ago */
export const fresh = () => navigator.onLine && performance.now() - heard < FRESH;

/** @returns {Promise<boolean>} whether the server answers */
export function there() {
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

async function ask() {
  const wanted = { cache: /** @type {RequestCache} */ ("no-store"), signal: within(PATIENCE) };
  const answer = await fetched("/health/live", wanted);
  if (!answer || answer.status >= 500) return false;
  heard = performance.now();
  return true;
}

/** Ends a request after so many milliseconds; `AbortSignal.timeout` is younger than many browsers. @param {number} ms @returns {AbortSignal} */
export function within(ms) {
  const control = new AbortController();
  setTimeout(() => control.abort(), ms);
  return control.signal;
}

/**
 * The answer with its text, null where there is none. Raises whatever is no fault of the connection: what a browser cannot do is tried
 * before the request leaves.
 * @param {string} address @param {RequestInit} wanted @returns {Promise<{ ok: boolean, status: number, headers: Headers, text: string } | null>}
 */
export async function fetched(address, wanted) {
  const request = new Request(address, wanted);
  const ask = fetch;
  try {
    const answer = await ask(request);
    return { ok: answer.ok, status: answer.status, headers: answer.headers, text: await answer.text() };
  } catch {
    return null;
  }
}

/** The server did not answer. */
export const lost = () => void (heard = -Infinity);

/**
 * Waits; the return of the connection ends the wait early.
 * @param {number} ms @param {{ early?: boolean }} [how]
 * @returns {Promise<void>}
 */
export function pause(ms, { early = true } = {}) {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      done();
    };
    const timer = setTimeout(end, ms);
    if (early) addEventListener("online", end);
  });
}

/** Growing pauses, a little uneven, so that many browsers do not come back all at once. @returns {Generator<number, never>} */
export function* backoff(first = 1000, most = 30_000) {
  for (let ms = first; ; ms = Math.min(2 * ms, most)) yield ms * (0.85 + 0.3 * Math.random());
}
