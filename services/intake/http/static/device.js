/** Keeps what is written on this device, goes on through lost connections, and sends until the answers are recorded. */

import { copies, find, finished, forget, keep, markSent, surveyOf, wasSent, works } from "./kept.js";
import { arrival, backoff, fresh, lost, pause, status, there } from "./reach.js";
import { follow, leave, send, thank } from "./sending.js";
import { catchUp, copyOf, draftOf, field, fill, withSheet } from "./sheet.js";
import { buttonOf, submit } from "./submit.js";

/** @typedef {import("./kept.js").Copy} Copy */

const SAVE_AFTER = 400;
/** Milliseconds of rest after which writing is saved. */
const LEAVING = 4000;
/** Milliseconds after which a page that is still there was stopped, and its buttons can be pressed again. */
const CLOSED = 403;
/** The status of the page that says: this survey takes no answers any more. */

const region = document.getElementById("device");
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("form"));
const place = form ? field(form, "place").value : "";
const receipt = form ? field(form, "receipt").value : "";
const begun = form !== null && field(form, "sheet").value !== "";
const saves = begun && place !== "start";
const survey = form ? surveyOf(form.getAttribute("action") ?? "") : location.pathname;
const stored = works();

const SHOWN = 5000;
/** Milliseconds for which the banner stays in view with what asks for nothing; then it rests at the end of the page. */
const PASSING = new Set(["saved", "online", "forgotten", "sent", "recorded", "deleted"]);
let shown = 0;

/* The banner: one honest sentence about where the answers are, in the page's language */

/**
 * @param {"saved"|"off"|"offline"|"online"|"forgotten"|"sending"|"waiting"|"sent"|"recorded"|"deleted"} state names one of the banner's data-attributes
 */
function say(state) {
  const sentence = region?.dataset[state];
  if (!region || !sentence || region.textContent === sentence) return;
  // That writing is saved goes without saying aloud on every page; whatever else changes is announced.
  region.setAttribute("aria-live", state === "saved" ? "off" : "polite");
  region.dataset.state = state;
  region.textContent = sentence;
  clearTimeout(shown);
  if (PASSING.has(state)) shown = setTimeout(() => region.classList.add("retired"), SHOWN);
  region.classList.remove("retired");
}

/** Puts a button beside the sentence. @param {string} label @param {() => void} act */
function offer(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button plain small";
  button.textContent = label;
  button.addEventListener("click", act);
  region?.append(" ", button);
}

/** @param {string} name @returns {string} words that the page carries for its scripts */
const word = (name) => region?.dataset[name] ?? "";

/* Saving */

let timer = 0;
let written = !finished(receipt) || find(receipt) !== undefined;
let unsaved = false;
let savedAt = 0;
/** When this page saved; a copy of another time is another tab's. 0: it has not, or it cannot. */

/** A copy on its way becomes a draft again as soon as somebody goes on writing. */
function save() {
  clearTimeout(timer);
  unsaved = false;
  if (!form || !saves || !written) return;
  const earlier = find(receipt);
  if (earlier?.state === "draft" && savedAt && earlier.at !== savedAt) catchUp(form, earlier);
  const copy = copyOf(form, "draft", earlier);
  const stays = keep(copy);
  savedAt = stays ? copy.at : 0;
  say(stays ? "saved" : "off");
}

function saveSoon() {
  written = unsaved = true;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER);
}

/** A review page gone back to, after its answers were sent, says so instead of asking to send them. @param {HTMLFormElement} form */
function lookBack(form) {
  const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById("was-sent"));
  if (!words || form.hidden) return;
  form.before(words.content.cloneNode(true));
  form.hidden = true;
  document.getElementById("was-sent-title")?.focus();
}

/** Other copies of what this page goes on with: its answers are sent once, from here. */
function takeOver() {
  const code = form && draftOf(field(form, "sheet").value);
  if (!code) return;
  for (const other of copies(survey)) {
    const same = other.receipt !== receipt && other.state === "draft" && draftOf(new URLSearchParams(other.body).get("sheet")) === code;
    if (same) forget(other.receipt);
  }
}

/** The page is here: new from the server, reloaded, or gone back to. @param {boolean} restored it stands as it was left */
function arrive(restored) {
  if (!form) return;
  const isNew = !restored && arrival === "navigate";
  const copy = find(receipt);
  if (!isNew && place === "review" && copy?.state !== "draft" && wasSent(copyOf(form, "draft").body)) {
    lookBack(form);
    return;
  }
  if (copy?.state === "sending" && place === "review") {
    sendAll(form).catch(() => submit(form, null, [["go", "send"]]));
    return;
  }
  if (copy?.state === "draft") {
    if (!isNew) catchUp(form, copy);
    if (!restored && saves) fill(form, copy, !isNew);
  }
  savedAt = 0;
  if (isNew || copy?.state === "draft") save();
  takeOver();
}

/* Pressing buttons: one wish at a time. While it is held up, another may take its place. */

/** @typedef {{ submitter: HTMLElement | null, held: boolean }} Wish */
/** @type {Wish | null} */
let wish = null;

/** @param {HTMLElement | null} submitter @returns {Wish} */
function press(submitter) {
  release();
  wish = { submitter, held: false };
  submitter?.setAttribute("aria-disabled", "true");
  return wish;
}

function release() {
  wish?.submitter?.removeAttribute("aria-disabled");
  wish = null;
}

/** @param {Wish} mine */
function hold(mine) {
  mine.held = true;
  mine.submitter?.removeAttribute("aria-disabled");
}

/** @param {Wish} mine */
function letGo(mine) {
  setTimeout(() => wish === mine && release(), LEAVING);
  lost(); // whether the server is there, the next page will hear for itself
}

/**
 * Whatever a script cannot do here, the form goes as it would without scripts: until something has gone wrong for sure, nothing keeps the
 * browser from sending it; and what goes wrong later is sent with the same button.
 * @param {SubmitEvent} event
 */
function onSubmit(event) {
  const sent = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || sent.method !== "post") return;
  if (wish && !wish.held) {
    event.preventDefault(); // a second click
    return;
  }
  const button = buttonOf(event);
  if (button?.hasAttribute("data-file")) return; // what comes is saved, and this page stays
  if (sent !== form) {
    letGo(press(button));
    return;
  }
  if (!begun && underWay()) {
    event.preventDefault(); // in another tab, since this page was opened
    greet();
    document.getElementById("main")?.focus();
    return;
  }
  const byHand = () => submit(form, button);
  if (place === "review" && button?.getAttribute("value") === "send") {
    const sending = sendAll(form, button);
    event.preventDefault();
    sending.catch(byHand);
    return;
  }
  save();
  const mine = press(button);
  if (fresh()) {
    letGo(mine);
    return;
  }
  const asked = reached(mine);
  event.preventDefault();
  asked.then((still) => still && (letGo(mine), byHand())).catch(byHand);
}

/** Waits until the server answers. @param {Wish} mine @returns {Promise<boolean>} whether this is still wished for */
async function reached(mine) {
  for (const wait of backoff(1000, 15_000)) {
    if (await there()) break;
    if (wish !== mine) return false;
    hold(mine);
    say(stored ? "offline" : "off");
    await pause(wait);
    if (wish !== mine) return false;
  }
  return wish === mine;
}

/* Sending */

/** From the review page: with the same receipt, again and again, until the answers have arrived. */
async function sendAll(/** @type {HTMLFormElement} */ form, /** @type {HTMLElement | null} */ submitter = null) {
  const mine = press(submitter);
  const other = find(receipt);
  if (submitter && other?.state === "draft" && savedAt && other.at !== savedAt && catchUp(form, other)) {
    letGo(mine); // another tab went on: what it answered is shown before it is sent
    submit(form, null, [["go", "stay"]]);
    return;
  }
  const copy = copyOf(form, "sending", find(receipt));
  keep(copy);
  const tell = (/** @type {"sending"|"waiting"} */ state) => {
    if (state === "waiting") hold(mine);
    say(state === "waiting" && !stored ? "off" : state);
  };
  const outcome = await send(copy, tell, () => wish === mine);
  if (outcome === "given up") return;
  if (outcome === "refused") keep({ ...copy, state: "draft" });
  thank(copy);
  letGo(mine);
}

/** On a page without the answers: what was on its way when its page was closed. @param {Copy} copy */
async function sendOn(copy) {
  if (form) form.hidden = true;
  say("waiting");
  const outcome = await send(copy, say, () => find(copy.receipt)?.state === "sending").catch(() => "refused");
  if (outcome === "arrived") thank(copy);
  if (form) form.hidden = false;
  if (outcome !== "refused") return;
  keep({ ...copy, state: "draft" });
  greet();
}

/* Going on with what was begun */

/** @returns {Copy | undefined} what this device holds of this survey and has not sent */
const underWay = () => copies(survey).find((copy) => copy.state !== "sent");

function greet() {
  const copy = underWay();
  if (copy?.state === "sending") sendOn(copy);
  else if (copy && form) offerToGoOn(form, copy);
  else if (copy && (status === CLOSED || document.getElementById("closed"))) {
    say("saved");
    offer(word("forget"), () => {
      for (const each of copies(survey)) forget(each.receipt);
      say("forgotten");
    });
  }
}

/** @param {HTMLFormElement} form @param {Copy} draft */
function offerToGoOn(form, draft) {
  const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById("resume"));
  if (!words || document.getElementById("begun")) return;
  form.before(words.content.cloneNode(true));
  form.hidden = true;
  const begun = /** @type {HTMLElement} */ (document.getElementById("begun"));
  begun.querySelector("[value=resume]")?.addEventListener("click", async (event) => {
    if (wish && !wish.held) return;
    const mine = press(/** @type {HTMLElement} */ (event.currentTarget));
    if (await reached(mine).catch(() => true)) leave(draft, "stay", form.getAttribute("action") ?? draft.address);
    letGo(mine);
  });
  begun.querySelector("[value=forget]")?.addEventListener("click", () => {
    forget(draft.receipt);
    begun.remove();
    form.hidden = false;
    say("forgotten");
    document.getElementById("main")?.focus();
    greet();
  });
}

/* The page */

const later = /** @type {HTMLFormElement | null} */ (document.getElementById("later"));
const kept = later ? find(field(later, "receipt").value) : undefined;
if (later && kept?.state === "draft") keep(withSheet(kept, field(later, "sheet").value)); // it is saved under a code now

const arrived = /** @type {HTMLElement | null} */ (document.querySelector("[data-arrived]"));
const sent = find(arrived?.dataset.arrived ?? "");
if (sent) {
  markSent(sent.body);
  keep({ ...sent, state: "sent" });
  say("sent");
} else if (finished(arrived?.dataset.arrived ?? "")) say("recorded");
else if (begun && document.getElementById("gone")) {
  forget(receipt); // sent from another device or page
  written = false;
  say("forgotten");
} else if (begun) arrive(false);
else greet();
for (const copy of copies()) if (copy.state === "sent") follow(copy, say).catch(() => {});

const note = document.getElementById("kept");
if (note?.dataset.here && stored) note.textContent = note.dataset.here;

document.addEventListener("submit", onSubmit);
form?.addEventListener("input", saveSoon);
form?.addEventListener("change", saveSoon);
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    if (saves && !fresh() && /** @type {Element} */ (event.target).closest?.("button")) there().catch(() => {});
  });
}
document.addEventListener("visibilitychange", () => document.hidden && unsaved && save());
addEventListener("pagehide", () => unsaved && save());
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  release();
  if (begun) arrive(true);
  else greet();
});
addEventListener("offline", () => saves && !wish && say(stored ? "offline" : "off"));
addEventListener("online", () => saves && !wish && say("online"));
