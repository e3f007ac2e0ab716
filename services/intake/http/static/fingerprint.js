/** The fingerprint of answers, worked out exactly as the server does (`digest` in proto/events.py). */

/**
 * The one JSON text of a value: keys sorted by code point, no spaces, whole numbers without a fraction.
 * @param {unknown} value @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).sort(([one], [other]) => byCodePoint(one, other));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join()}}`;
  }
  return Number.isInteger(value) ? BigInt(/** @type {number} */ (value)).toString() : JSON.stringify(value);
}

/** @param {unknown} value answers, survey and version @returns {Promise<string>} */
export async function fingerprint(value) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(value)));
  return `sha256:${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** UTF-16, in which strings are compared otherwise, has another order beyond U+FFFF. @param {string} one @param {string} other */
function byCodePoint(one, other) {
  const [a, b] = [one, other].map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
  const place = a.findIndex((code, i) => code !== b[i]);
  return place < 0 || place >= b.length ? a.length - b.length : a[place] - b[place];
}
