/** Whether the server can be reached: asked for before a page is left, so that nobody is left with the browser's error page. */

const FRESH = 10_000;
/** Milliseconds for which a server that answered is taken to be there still. */
const PATIENCE = 5_000;

let heard = performance.getEntriesByType("navigation")[0]?.type === "back_forward" ? -Infinity : performance.now();
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
  try {
    const answer = await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status >= 500) return false;
    heard = performance.now();
    return true;
  } catch {
    return false;
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
