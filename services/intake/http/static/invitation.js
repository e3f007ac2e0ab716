/**
 * Exchanges an invitation code for a ticket that the server signs without being able to read it, so that no code leads to an answer.
 *
 * Everything about the ticket is derived from the code, as in proto/invitation.py: the same code gives the same ticket on every device, and
 * only the code's name, a hash, and the blinded number leave this one.
 */

import { blind, decoded, derived, encoded, finalize, joined, keyOf, verifierOf } from "./blind.js";
import { ALPHABET, read } from "./codes.js";
import { formerTicket } from "./kept.js";
import { buttonOf, submit } from "./submit.js";

const LENGTH = 20;
/** Of codes that release 0.1.0 made: the server exchanges them itself. */
const FORMER = 16;
const LINK = /^#([0-9A-Za-z-]{16,40})\.([0-9A-Z]{16})$/;

const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const room = /** @type {HTMLElement} */ (document.getElementById("invitation"));
const typed = /** @type {HTMLInputElement} */ (document.getElementById("code"));
const ticket = /** @type {HTMLInputElement} */ (form.elements.namedItem("ticket"));
const survey = room.dataset.survey ?? "";

/** What the organiser's link brought: the code, and the fingerprint of the key that is to sign. It stays in this tab and leaves the address. */
function linked() {
  const name = `platea.link:${survey}`;
  const found = LINK.exec(location.hash);
  try {
    if (found) sessionStorage.setItem(name, location.hash);
    history.replaceState(history.state, "", location.pathname + location.search);
    return found ?? LINK.exec(sessionStorage.getItem(name) ?? "");
  } catch {
    return found;
  }
}

/** @param {string} code a bare one @returns {Promise<string>} its ticket. Throws a word of the page's: "unknown", for instance */
async function exchange(code) {
  const told = await ask("GET");
  const expected = linked()?.[2];
  if (expected && expected !== (await fingerprint(decoded(told.n)))) throw "differs";
  const key = keyOf(told);
  await verifierOf(key); // a browser that could not finish does not begin
  const { token, salt, inverse } = await derived(survey, code, key);
  const request = await blind(key, token, salt, inverse);
  const { signature } = await ask("POST", { name: await named(code), blinded: encoded(request.blinded) });
  return `${encoded(token)}.${encoded(await finalize(key, token, decoded(signature), request.inverse))}`;
}

/** The ticket that release 0.1.0 left on this device, or "". @param {string} code */
async function keptTicket(code) {
  return formerTicket(survey, encoded(await sha256(text(code))).slice(0, 22));
}

/** @param {"GET" | "POST"} method @param {object} [body] @returns {Promise<any>} */
async function ask(method, body) {
  const sent = body ? { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
  const answer = await fetch(`/api/v1/surveys/${encodeURIComponent(survey)}/tickets`, { method, cache: "no-store", ...sent }).catch(() => {
    throw "away";
  });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (answer.status === 429) throw "patience";
  if (answer.status >= 500) throw "away";
  throw method === "GET" ? "unknown" : String(told.type ?? "").replace("/problems/invitation-", "");
}

/** Under which the platform knows a code, as hexadecimal digits. @param {string} code */
async function named(code) {
  const digest = await sha256(text(`platea-invitation-1\0${survey}\0${code}`));
  return Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The same as `proto.invitation.fingerprint`. @param {Uint8Array} modulus */
async function fingerprint(modulus) {
  const digest = await sha256(joined(text("platea-invitation-key-1\0"), modulus));
  let number = digest.slice(0, 10).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let letters = "";
  for (; letters.length < 16; number >>= 5n) letters += ALPHABET[Number(number & 31n)];
  return letters;
}

/** @param {string} words */
const text = (words) => new TextEncoder().encode(words);

/** @param {Uint8Array} data */
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));

/** Says why the code did not do, as the server's page would. @param {string} why */
function complain(why) {
  const sentence = room.dataset[why] ?? room.dataset.trouble ?? "";
  const summary = /** @type {HTMLElement} */ (document.getElementById("invitation-summary"));
  for (const [id, shown] of [["invitation-told", summary], ["code-error", document.getElementById("code-error")]]) {
    /** @type {HTMLElement} */ (document.getElementById(/** @type {string} */ (id))).textContent = sentence;
    /** @type {HTMLElement} */ (shown).hidden = false;
  }
  room.classList.add("wrong");
  const prefix = room.dataset.prefix ?? "";
  if (!document.title.startsWith(prefix)) document.title = prefix + document.title;
  typed.setAttribute("aria-describedby", "code-error");
  typed.setAttribute("aria-invalid", "true");
  summary.focus();
}

let asking = false;

/** @param {SubmitEvent} event */
function onSubmit(event) {
  if (ticket.value) return; // the page goes on with the ticket, and without the code
  const button = buttonOf(event);
  if (!asking) enter(button).catch(plainly);
  event.preventDefault();
}

/** @param {HTMLElement | null} button */
async function enter(button) {
  asking = true;
  try {
    if (!typed.value.trim()) throw "empty";
    const code = read(typed.value, [LENGTH, FORMER]);
    if (!code) throw "mistyped";
    ticket.value = code.length === FORMER ? await keptTicket(code) : await exchange(code);
    await new Promise((done) => setTimeout(done)); // while one submission is still being announced, browsers take no other
    if (ticket.value) typed.disabled = true;
    else form.removeEventListener("submit", onSubmit); // a former code is exchanged by the server
    if (form.requestSubmit) form.requestSubmit(button);
    else submit(form, button);
  } catch (why) {
    if (typeof why !== "string") throw why;
    complain(why);
  } finally {
    asking = false;
  }
}

/** Of the two ways, the one that this browser goes with this code. */
function offer(blind = read(typed.value, [LENGTH, FORMER]).length !== FORMER) {
  for (const [id, hidden] of /** @type {[string, boolean][]} */ ([["apart-plain", blind], ["apart-blind", !blind]])) {
    /** @type {HTMLElement} */ (document.getElementById(id)).hidden = hidden;
  }
}

/** What the browser's cryptography cannot do, the server does: pressing again sends the code, and the page says what that rests on. */
function plainly() {
  form.removeEventListener("submit", onSubmit);
  typed.disabled = false;
  ticket.value = "";
  offer(false);
  complain("trouble");
}

const brought = linked();
if (brought && !typed.value) typed.value = brought[1] ?? "";
if (globalThis.crypto?.subtle) {
  offer();
  typed.addEventListener("input", () => offer());
  form.addEventListener("submit", onSubmit);
  addEventListener("pageshow", () => {
    ticket.value = "";
    typed.disabled = false;
  });
}
