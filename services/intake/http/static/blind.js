/**
 * Asking for a blind signature, RSABSSA-SHA384-PSS-Deterministic of RFC 9474: whoever signs cannot read what.
 *
 * The numbers are few and the exponent is small, so BigInt needs milliseconds; hashing, HKDF and the last check are the browser's own.
 */

const SALT = 48;
const HASH = 48;
const TOKEN = 32;
/** Bytes by which the derived number is longer than the modulus, so that its remainder is uniform. */
const EXTRA = 16;

/**
 * @typedef {object} Key
 * @property {bigint} n
 * @property {bigint} e
 * @property {number} size bytes of the modulus
 */

/** @typedef {{ blinded: Uint8Array, inverse: bigint }} Request `blinded` goes to the signer, `inverse` stays here */

/** @param {{ n: string, e: string }} told as the server writes them @returns {Key} */
export function keyOf(told) {
  const n = number(decoded(told.n));
  return { n, e: number(decoded(told.e)), size: Math.ceil(n.toString(2).length / 8) };
}

/**
 * Everything that a code is exchanged with, as `ticket_request` in proto/invitation.py draws it (HKDF, RFC 5869).
 * @param {string} survey its id @param {string} code a bare one @param {Key} key
 */
export async function derived(survey, code, key) {
  const text = new TextEncoder();
  const info = joined(text.encode(`${survey}\0`), bytes(key.n, key.size));
  const way = { name: "HKDF", hash: "SHA-256", salt: text.encode("platea-invitation-2"), info };
  const secret = await crypto.subtle.importKey("raw", text.encode(code), "HKDF", false, ["deriveBits"]);
  const drawn = new Uint8Array(await crypto.subtle.deriveBits(way, secret, 8 * (TOKEN + SALT + key.size + EXTRA)));
  return { token: drawn.slice(0, TOKEN), salt: drawn.slice(TOKEN, TOKEN + SALT), inverse: number(drawn.slice(TOKEN + SALT)) % key.n };
}

/**
 * @param {Key} key @param {Uint8Array} message hard to guess
 * @param {Uint8Array} salt @param {bigint} inverse uniform for whoever is to learn nothing
 * @returns {Promise<Request>}
 */
export async function blind(key, message, salt, inverse) {
  const encoded = number(await encode(message, key.n.toString(2).length - 1, salt));
  if (inverted(encoded, key.n) === null) throw new Error("the encoded message shares a factor with the modulus");
  const factor = /** @type {bigint} */ (inverted(inverse, key.n));
  return { blinded: bytes((encoded * power(factor, key.e, key.n)) % key.n, key.size), inverse };
}

/**
 * The signature of the message; it is verified before anybody relies on it.
 * @param {Key} key @param {Uint8Array} message @param {Uint8Array} signed blindly @param {bigint} inverse
 * @returns {Promise<Uint8Array>}
 */
export async function finalize(key, message, signed, inverse) {
  if (signed.length !== key.size) throw new Error("not of the modulus's size");
  const signature = bytes((number(signed) * inverse) % key.n, key.size);
  const verifier = await verifierOf(key);
  if (!(await crypto.subtle.verify({ name: "RSA-PSS", saltLength: SALT }, verifier, signature, message))) throw new Error("the signature does not verify");
  return signature;
}

/** The key with which the browser verifies. Throws where it cannot. @param {Key} key @returns {Promise<CryptoKey>} */
export async function verifierOf(key) {
  const described = { kty: "RSA", n: encoded(bytes(key.n, key.size)), e: encoded(bytes(key.e, 3)), alg: "PS384" };
  return await crypto.subtle.importKey("jwk", described, { name: "RSA-PSS", hash: "SHA-384" }, false, ["verify"]);
}

/** @param {Uint8Array} data @returns {string} base64url */
export const encoded = (data) => btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** @param {string} text base64url @returns {Uint8Array} */
export const decoded = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

/** @param {Uint8Array} data @returns {bigint} */
const number = (data) => BigInt("0x" + Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join(""));

/** @param {bigint} value @param {number} size @returns {Uint8Array} */
const bytes = (value, size) => Uint8Array.from((value.toString(16).padStart(2 * size, "0").match(/../g) ?? []), (pair) => parseInt(pair, 16));

/** @param {bigint} base @param {bigint} exponent @param {bigint} modulus @returns {bigint} */
function power(base, exponent, modulus) {
  let result = 1n;
  for (let rest = exponent, square = base % modulus; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if (rest & 1n) result = (result * square) % modulus;
  }
  return result;
}

/** By Euclid. @param {bigint} value @param {bigint} modulus @returns {bigint | null} null where there is none */
function inverted(value, modulus) {
  let [a, b, s, t] = [value % modulus, modulus, 1n, 0n];
  while (b > 0n) {
    const quotient = a / b;
    [a, b, s, t] = [b, a - quotient * b, t, s - quotient * t];
  }
  return a === 1n ? ((s % modulus) + modulus) % modulus : null;
}

/** EMSA-PSS (RFC 8017, section 9.1.1). @param {Uint8Array} message @param {number} bits @param {Uint8Array} salt */
async function encode(message, bits, salt) {
  const size = Math.ceil(bits / 8);
  const digest = await sha(joined(new Uint8Array(8), await sha(message), salt));
  const block = joined(new Uint8Array(size - HASH - SALT - 2), Uint8Array.of(1), salt);
  const mask = await stretched(digest, block.length);
  const masked = block.map((byte, place) => byte ^ (mask[place] ?? 0));
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * size - bits));
  return joined(masked, digest, Uint8Array.of(0xbc));
}

/** MGF1. @param {Uint8Array} seed @param {number} size */
async function stretched(seed, size) {
  const parts = [];
  for (let counter = 0; counter * HASH < size; counter++) parts.push(await sha(joined(seed, Uint8Array.of(0, 0, 0, counter))));
  return joined(...parts).subarray(0, size);
}

/** @param {Uint8Array} data */
const sha = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-384", data));

/** @param {...Uint8Array} parts */
export const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
