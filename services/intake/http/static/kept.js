/**
 * The copies of answers that this device keeps, each until it is recorded.
 *
 * A copy is the form as it would be sent, so that the server, which keeps nothing, can show the same page again.
 *
 * @typedef {object} Copy
 * @property {"draft"|"sending"|"sent"} state
 * @property {string} address where the form goes, its language included
 * @property {string} receipt the same for every attempt, so that the answers count once
 * @property {string} body the form's fields, without the button
 * @property {Record<string, string>} typed by section: what was last written there, sent or not
 * @property {number} at when it was saved, to offer the latest first
 */

const PREFIX = "platea.1:";
/** Stays the same as long as copies of earlier releases can be read. */

/** @param {string} address @returns {string} the survey's own path */
export const surveyOf = (address) => new URL(address, location.href).pathname;

/** @param {Copy} copy @returns {boolean} whether the device took it */
export function keep(copy) {
  try {
    localStorage.setItem(PREFIX + copy.receipt, JSON.stringify(copy));
    return true;
  } catch {
    return false; // full, or the browser stores nothing at all
  }
}

/** @param {string} receipt @returns {Copy | undefined} */
export function find(receipt) {
  try {
    const copy = JSON.parse(localStorage.getItem(PREFIX + receipt) ?? "null");
    return copy && typeof copy.body === "string" && typeof copy.address === "string" && copy.typed ? copy : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} receipt */
export function forget(receipt) {
  try {
    localStorage.removeItem(PREFIX + receipt);
  } catch {
    // nothing was kept
  }
}

/* After "recorded" nothing is left but a number that leads to no receipt, for as long as the tab is open: so that looking back saves nothing. */

const DONE = `${PREFIX}recorded`;

/** @param {string} receipt @returns {string} 32 bits of 130 (FNV-1a) */
function trace(receipt) {
  let hash = 0x811c9dc5;
  for (const letter of receipt) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** @param {string} receipt its answers are recorded: this device forgets them */
export function finish(receipt) {
  const copy = find(receipt);
  if (copy) forgetInvitations(surveyOf(copy.address).split("/").pop() ?? "");
  forget(receipt);
  try {
    sessionStorage.setItem(DONE, `${sessionStorage.getItem(DONE) ?? ""} ${trace(receipt)}`);
  } catch {
    // nothing was kept
  }
}

/** @param {string} receipt @returns {boolean} */
export function finished(receipt) {
  try {
    return (sessionStorage.getItem(DONE) ?? "").split(" ").includes(trace(receipt));
  } catch {
    return false;
  }
}

/* What was sent from this tab, as numbers that lead to no answer, so that a page gone back to can say so. */

const SENT = `${PREFIX}sent`;

/** @param {string} body of the form that was sent */
export function markSent(body) {
  try {
    sessionStorage.setItem(SENT, `${sessionStorage.getItem(SENT) ?? ""} ${trace(sheetOf(body))}`);
  } catch {
    // nothing was kept
  }
}

/** @param {string} body of a form @returns {boolean} */
export function wasSent(body) {
  try {
    return (sessionStorage.getItem(SENT) ?? "").split(" ").includes(trace(sheetOf(body)));
  } catch {
    return false;
  }
}

const sheetOf = (/** @type {string} */ body) => new URLSearchParams(body).get("sheet") ?? "";

/** @param {string} [survey] a survey's path; without it, all @returns {Copy[]} the latest first */
export function copies(survey) {
  let names = [];
  try {
    names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    // nothing is kept
  }
  const found = names.map((name) => find(name.slice(PREFIX.length))).filter((copy) => copy !== undefined);
  return found.filter((copy) => !survey || surveyOf(copy.address) === survey).sort((a, b) => b.at - a.at);
}

/** @returns {boolean} whether this browser keeps anything */
export function works() {
  try {
    localStorage.setItem(PREFIX, "");
    localStorage.removeItem(PREFIX);
    return true;
  } catch {
    return false;
  }
}

/* Tickets that release 0.1.0 kept, until an answer is recorded. Now they are made anew from the code whenever they are needed. */

const INVITED = "platea.invitation.1:";

/** @param {string} survey its id @param {string} code the name under which the device knew it @returns {string} "" where there is none */
export function formerTicket(survey, code) {
  try {
    return String(JSON.parse(localStorage.getItem(`${INVITED}${survey}:${code}`) ?? "null")?.ticket ?? "");
  } catch {
    return "";
  }
}

/** @param {string} survey its id */
function forgetInvitations(survey) {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(`${INVITED}${survey}:`)) localStorage.removeItem(name);
  } catch {
    // nothing was kept
  }
}
