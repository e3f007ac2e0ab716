/** Makes a section's page answer at once: questions come and go by their rules, options that stand alone untick the others. */

import { count, counters } from "./counters.js";
import { judge } from "./rules.js";
import { tell } from "./told.js";

/** @typedef {import("./rules.js").Ruled} Ruled */
/** @typedef {{ ask: Ruled, field: HTMLElement, spot: Comment }} Question a field, and the spot that it keeps while it is away */

const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const marks = document.getElementById("told")?.dataset.marks ?? ".";
const sheet = /** @type {HTMLInputElement} */ (form.elements.namedItem("sheet"));
const sent = Object.assign(document.createElement("input"), { type: "hidden", name: "shown" });

/** @type {Question[]} */
let questions = [];

/** @type {HTMLElement[]} texts that show earlier answers */
let piped = [];

/** @type {typeof import("./piped.js").refill} nothing before its script is there: the texts are as the server made them */
let refill = () => [];

/** @type {Set<Element>} */
const waited = new Set();

/** Questions that wait in a template take their place, to leave it again at once if the rules say so. One may wait inside another. */
function gather() {
  for (let template; (template = form.querySelector("template")); ) {
    for (const field of template.content.children) waited.add(field);
    template.replaceWith(template.content);
  }
  piped = [...form.querySelectorAll("[data-piped]")].map((element) => /** @type {HTMLElement} */ (element));
  questions = [...form.querySelectorAll("[data-ask]")].map((element) => {
    const field = /** @type {HTMLElement} */ (element);
    const spot = document.createComment("");
    field.before(spot);
    return { ask: JSON.parse(field.dataset.ask ?? ""), field, spot };
  });
}

/** @param {string} name @returns {string[]} what stands in the fields of this name, on the page or away from it */
function fields(name) {
  const id = name.split(".")[1];
  const field = questions.find((question) => question.ask.id === id)?.field;
  return [.../** @type {NodeListOf<HTMLInputElement>} */ (field?.querySelectorAll(`[name="${CSS.escape(name)}"]`) ?? [])]
    .filter((control) => !["radio", "checkbox"].includes(control.type) || control.checked)
    .map((control) => control.value);
}

let known = { text: "", answers: /** @type {Record<string, unknown>} */ ({}) };

/** @param {string} id @returns {unknown} the answer that the page carries */
function kept(id) {
  if (known.text !== sheet.value) known = { text: sheet.value, answers: JSON.parse(sheet.value).answers ?? {} };
  return known.answers[id];
}

const title = (/** @type {HTMLElement} */ field) =>
  (field.querySelector("[data-title]") ?? field).textContent?.trim() ?? "";

/**
 * Shows and hides options and rows. Rows are told, as questions are. What was ticked stays so while it is away: the server leaves it out
 * and tells so before sending.
 * @param {HTMLElement} field @param {Set<string>} [hidden] their codes @returns {string[]}
 */
function parts(field, hidden) {
  /** @type {string[]} */
  const said = [];
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (field.querySelectorAll("[data-part]"))) {
    const gone = hidden?.has(part.dataset.part ?? "") ?? false;
    if (gone === part.hidden) continue;
    part.hidden = gone;
    if (part instanceof HTMLOptionElement) Object.assign(part, { disabled: gone, selected: part.selected && !gone });
    const row = part.querySelector(".rowhead span")?.textContent?.trim();
    if (row) said.push(tell.sentence(gone ? "closed" : "opened", { question: row }));
  }
  return said;
}

const isNote = (/** @type {HTMLElement} */ field) => field.classList.contains("note");

/**
 * Shows and hides by the rules. @param {EventTarget | null} cause what was changed; nothing is said while the page is being made
 * @param {string[]} said what there is to say already
 */
function follow(cause = null, said = []) {
  const { found: wanted, answers, hidden } = judge(questions.map((question) => question.ask), fields, marks, kept);
  const fieldOf = (/** @type {string} */ id) => questions.find((question) => question.ask.id === id)?.field;
  const changed = refill(piped, answers, fieldOf).filter((element) => element.isConnected && element.closest("[data-title], .note"));
  /** @type {string[]} */
  const opened = [];
  for (const { ask, field, spot } of questions) {
    if (ask.computed) continue;
    if (ask.ruled) said.push(...parts(field, hidden.get(ask.id)));
    if (wanted.has(ask.id) === field.isConnected) continue;
    if (field.isConnected) {
      const focused = field.contains(document.activeElement);
      field.remove();
      if (focused && cause instanceof HTMLElement) cause.focus();
      if (!isNote(field)) said.push(tell.sentence("closed", { question: title(field) }));
    } else {
      spot.after(field);
      count(field);
      if (isNote(field)) said.push(title(field));
      else opened.push(title(field));
    }
  }
  const [first] = opened;
  if (first) said.push(opened.length > 1 ? tell.sentence("several", { count: opened.length, question: first }) : tell.sentence("opened", { question: first }));
  said.push(...changed.filter((element) => element.isConnected).map((element) => element.textContent ?? ""));
  if (cause && said.length) tell(said.join(" "));
  sent.value = [...form.querySelectorAll(".field")].map((field) => field.id).join(" ");
}

/** A special value and what is typed in its place cannot stand together. @param {HTMLInputElement} control */
function instead(control) {
  const field = control.closest(".field");
  const special = /** @type {NodeListOf<HTMLInputElement>} */ (field?.querySelectorAll(`[name="q.${CSS.escape(field.id)}.special"]`) ?? []);
  if (!special.length) return;
  if (![...special].includes(control)) {
    if (control.value.trim()) for (const box of special) box.checked = false;
  } else if (control.checked) {
    const typed = /** @type {NodeListOf<HTMLInputElement>} */ (field?.querySelectorAll("input[type=text], select"));
    for (const other of typed) other.value = "";
  }
}

/**
 * An option or a row that stands on its own cannot stay chosen beside others: what was chosen before is taken back.
 * @param {HTMLInputElement} control @returns {string[]} what there is to say of it
 */
function alone(control) {
  const line = /** @type {HTMLElement | null} */ (control.closest(".line"));
  const place = line ?? control;
  const among = line ? line.parentElement?.querySelectorAll(".line") : form.querySelectorAll(`[type=checkbox][name="${CSS.escape(control.name)}"]`);
  if (!among || !picked(place)) return [];
  const ousted = [.../** @type {NodeListOf<HTMLElement>} */ (among)].filter(
    (other) => other !== place && picked(other) && ("alone" in place.dataset || "alone" in other.dataset),
  );
  const single = [place, ...ousted].find((one) => "alone" in one.dataset);
  for (const other of ousted) {
    Object.assign(picked(other) ?? {}, { checked: false });
    other.dispatchEvent(new Event("change")); // the list of a row follows
  }
  const label = single?.querySelector(".rowhead span") ?? single?.parentElement?.querySelector("label");
  return ousted.length ? [tell.sentence("alone", { option: label?.textContent?.trim() ?? "" })] : [];
}

/** What is chosen in a row, or a box that is ticked. @param {HTMLElement} place @returns {HTMLInputElement | undefined} */
function picked(place) {
  const controls = place instanceof HTMLInputElement ? [place] : [...place.querySelectorAll("input")];
  return controls.find((control) => control.checked && control.value);
}

/** "No answer", among the choices of a question that may be left out, becomes a button that takes the choice back. */
function clearing() {
  for (const choice of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll(".choice.none"))) {
    const field = /** @type {HTMLElement} */ (choice.closest(".field"));
    const radios = [.../** @type {NodeListOf<HTMLInputElement>} */ (field.querySelectorAll("input[type=radio]"))];
    const button = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: tell.word("clear") });
    const follow = () => (button.style.visibility = radios.some((radio) => radio.checked && radio.value) ? "visible" : "hidden");
    button.addEventListener("click", () => {
      for (const radio of radios) radio.checked = false;
      radios[0]?.focus();
      radios[0]?.dispatchEvent(new Event("change", { bubbles: true }));
    });
    field.addEventListener("change", follow);
    choice.style.minHeight = `${choice.offsetHeight}px`; // nothing moves
    choice.textContent = "";
    choice.append(button);
    follow();
  }
}

/** The list that stands for a row of a matrix on a narrow screen says what its buttons say, and they alone are sent. */
function lists() {
  for (const list of /** @type {NodeListOf<HTMLSelectElement>} */ (form.querySelectorAll(".narrow"))) {
    const line = /** @type {HTMLElement} */ (list.parentElement);
    const radios = [.../** @type {NodeListOf<HTMLInputElement>} */ (line.querySelectorAll("input[type=radio]"))];
    const follow = () => (list.value = radios.find((radio) => radio.checked)?.value ?? "");
    list.addEventListener("change", () => {
      for (const radio of radios) radio.checked = radio.value === list.value && list.value !== "";
      radios[0]?.dispatchEvent(new Event("change", { bubbles: true }));
    });
    line.addEventListener("change", follow);
    list.removeAttribute("name");
    follow();
  }
}

const ROOM = 24;
/** Characters that a list shows on a phone. */

/** Below a list that is too narrow for it, what was chosen stands whole; who listens hears it from the list itself. */
function whole() {
  for (const list of form.querySelectorAll("select")) {
    const text = Object.assign(document.createElement("p"), { className: "whole" });
    text.setAttribute("aria-hidden", "true");
    const follow = () => {
      const label = (list.value && list.selectedOptions[0]?.textContent) || "";
      text.textContent = label.length > ROOM ? label : "";
    };
    (list.closest(".chosen") ?? list).after(text);
    list.closest(".field")?.addEventListener("change", () => setTimeout(follow));
    follow();
  }
}

/** The page as the server made it, which works without scripts too. Something failed: page and scripts may be of two releases. */
function asMade() {
  sent.remove();
  for (const { field, spot } of questions) if (!waited.has(field) && !field.isConnected) spot.after(field);
  for (const field of waited) field.remove();
}

/** @param {() => void} act */
function safely(act) {
  try {
    act();
  } catch {
    asMade();
  }
}

/** What few pages need is not loaded with the others. Where it does not come, the page stays as the server made it. */
function rarely() {
  if (form.querySelector(".ranks")) import("./ranks.js").then(({ ranks }) => safely(() => ranks(form)), () => {});
  if (!piped.length) return;
  const use = (/** @type {typeof import("./piped.js")} */ script) => {
    refill = script.refill;
    safely(follow);
  };
  import("./piped.js").then(use, () => {});
}

safely(() => {
  gather();
  lists();
  clearing();
  counters(form);
  whole();
  follow();
  rarely();
  form.append(sent);
  form.addEventListener("input", (event) => {
    instead(/** @type {HTMLInputElement} */ (event.target));
    safely(() => follow(event.target));
  });
  form.addEventListener("change", (event) => {
    safely(() => follow(event.target, alone(/** @type {HTMLInputElement} */ (event.target))));
  });
  addEventListener("pageshow", () => safely(() => follow())); // a page gone back to stands as it was left
});
