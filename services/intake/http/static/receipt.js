/** The receipt's pages with scripts: the status follows by itself, and the page works out the fingerprint itself. */

import { fingerprint } from "./fingerprint.js";
import "./keep.js";

const WAITS = [500, 500, 1000, 1000, 2000, 3000, 5000, 10_000];
/** Milliseconds between two looks; the last one for as long as the page is open. */

const held = /** @type {HTMLFormElement} */ (document.getElementById("held"));
const status = document.getElementById("status");
const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("text"));

show();
if (status?.dataset.status === "accepted") follow();
if (text && globalThis.crypto?.subtle) check(text); // browsers have it on https and on the machine itself

/** Whatever only works with scripts. */
function show() {
  document.querySelectorAll(".scripted").forEach((part) => part.removeAttribute("hidden"));
  document.getElementById("address")?.prepend(location.host);
}

/** Looks until the answers are recorded: takes over what the page itself would say. */
async function follow() {
  for (let turn = 0; status?.dataset.status === "accepted"; turn++) {
    await new Promise((go) => setTimeout(go, WAITS[Math.min(turn, WAITS.length - 1)]));
    const found = document.hidden ? null : await look();
    if (!found || found.dataset.status === status.dataset.status) continue;
    status.dataset.status = found.dataset.status;
    status.textContent = "";
    status.append(...found.childNodes);
    document.getElementById("again")?.remove();
    held.hidden = found.dataset.status === "deleted"; // there is nothing left to do
  }
}

/** @returns {Promise<HTMLElement | null>} null where there is no answer just now */
async function look() {
  const body = new URLSearchParams({ receipt: new FormData(held).get("receipt")?.toString() ?? "", go: "show" });
  try {
    const answer = await fetch(held.action, { method: "POST", headers: { Accept: "text/html" }, body });
    const told = answer.ok || answer.status === 410;
    return told ? new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("status") : null;
  } catch {
    return null;
  }
}

/** Compares the fingerprint of the text on this page with the one on the receipt. @param {HTMLTextAreaElement} text */
async function check(text) {
  const verdict = document.getElementById("verdict");
  const shown = document.getElementById("fingerprint")?.textContent;
  const found = await fingerprint(JSON.parse(text.value)).catch(() => "");
  const told = document.createElement("p");
  told.className = "notice";
  told.textContent = (found === shown ? verdict?.dataset.same : verdict?.dataset.differs) ?? "";
  if (!verdict) return;
  verdict.textContent = "";
  verdict.append(told);
}
