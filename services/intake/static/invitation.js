/** Exchanges an invitation code for a ticket that the server signs without being able to read it, so that no code leads to an answer. */

import { blind, chance, decoded, encoded, finalize, keyOf, verifierOf } from "./blind.js";
import { invitations } from "./kept.js";
import { buttonOf, submit } from "./submit.js";

const TOKEN = 32;
const LINK = /^#([0-9A-Za-z-]{16,40})\.([0-9A-Z]{16})$/;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

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

/**
 * The ticket for this code. What was drawn for it is kept before it is asked for: when the answer gets lost, the same question gets the same
 * answer, where a new one would be refused.
 * @param {string} code @returns {Promise<string>} Throws a word of the page's: "used", for instance
 */
async function exchange(code) {
  const kept = invitations(survey, await named(code));
  const known = kept.read();
  if (known?.ticket) return known.ticket;
  const told = await ask("GET");
  const expected = linked()?.[2];
  if (expected && expected !== (await fingerprint(decoded(told.n)))) throw "differs";
  const key = keyOf(told);
  await verifierOf(key); // a browser that could not finish does not begin: the code would be used up
  const again = known?.n === told.n ? known : undefined;
  const token = again ? decoded(again.token) : chance(TOKEN);
  const request = again ? { blinded: decoded(again.blinded), inverse: BigInt(again.inverse) } : await blind(key, token);
  kept.write({ n: told.n, token: encoded(token), blinded: encoded(request.blinded), inverse: String(request.inverse) });
  const { signature } = await ask("POST", { code, blinded: encoded(request.blinded) });
  const made = `${encoded(token)}.${encoded(await finalize(key, token, decoded(signature), request.inverse))}`;
  kept.write({ ticket: made });
  return made;
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

/** Under which this device knows a code. @param {string} code */
async function named(code) {
  const bare = code.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return encoded(await sha256(new TextEncoder().encode(bare))).slice(0, 22);
}

/** The same as `proto.invitation.fingerprint`. @param {Uint8Array} modulus */
async function fingerprint(modulus) {
  const digest = await sha256(Uint8Array.from([...new TextEncoder().encode("platea-invitation-key-1\0"), ...modulus]));
  let number = digest.slice(0, 10).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let letters = "";
  for (; letters.length < 16; number >>= 5n) letters += ALPHABET[Number(number & 31n)];
  return letters;
}

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
    ticket.value = await exchange(typed.value);
    await new Promise((done) => setTimeout(done)); // while one submission is still being announced, browsers take no other
    typed.disabled = true;
    if (form.requestSubmit) form.requestSubmit(button);
    else submit(form, button);
  } catch (why) {
    if (typeof why !== "string") throw why;
    complain(why);
  } finally {
    asking = false;
  }
}

/** Of the two ways, the one that this browser goes. @param {boolean} blind */
function offer(blind) {
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
  offer(true);
  form.addEventListener("submit", onSubmit);
  addEventListener("pageshow", () => {
    ticket.value = "";
    typed.disabled = false;
  });
}
