/** Solves the small task that keeps robots away while a survey is flooded, and sends the page again with its solution. */

import { submit } from "./submit.js";

const AT_ONCE = Math.min(navigator.hardwareConcurrency || 2, 4);
const MOST = 2 ** 20;
/** Tries after which something must be wrong; a solution takes some thousands. */

/** @typedef {{ algorithm: string, nonce: string, salt: string, cost: number, keyLength: number, keyPrefix: string }} Parameters */
/** @typedef {{ parameters: Parameters, signature: string }} Task */

/**
 * @param {Task} task as the server made it
 * @returns {Promise<string>} what goes back in the field or header for work. Throws where the browser does not offer its cryptography.
 */
export async function solve(task) {
  let next = 0;
  /** @type {{ counter: number, derivedKey: string } | undefined} */
  let solution;
  const work = async () => {
    while (!solution && next < MOST) {
      const counter = next++;
      const derivedKey = await derive(task.parameters, counter);
      if (derivedKey.startsWith(task.parameters.keyPrefix)) solution ??= { counter, derivedKey };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (!solution) throw new Error("no solution");
  return btoa(JSON.stringify({ challenge: task, solution }));
}

/** PBKDF2 with the counter at the end of the password. @param {Parameters} parameters @param {number} counter */
async function derive({ algorithm, nonce, salt, cost, keyLength }, counter) {
  const password = new Uint8Array(nonce.length / 2 + 4);
  password.set(bytes(nonce));
  new DataView(password.buffer).setUint32(nonce.length / 2, counter);
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: algorithm.split("/")[1], salt: bytes(salt), iterations: cost };
  return hex(await crypto.subtle.deriveBits(how, key, 8 * keyLength));
}

/** @param {string} text */
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {ArrayBuffer} buffer */
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

const place = document.getElementById("work");
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("form"));
if (place?.dataset.task && form) {
  place.hidden = false;
  place.textContent = place.dataset.working ?? "";
  solve(JSON.parse(place.dataset.task)).then(
    (solution) => submit(form, form.querySelector("button"), [["work", solution]]),
    () => (place.hidden = true), // then it goes as without scripts: wait a little, and try again
  );
}
