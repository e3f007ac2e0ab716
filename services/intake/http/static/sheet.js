/** Between a page's form and the copy of it: what is written there, and what an older page has missed. */

/** @typedef {import("./kept.js").Copy} Copy */

/** @param {HTMLFormElement} form @param {string} name @returns {HTMLInputElement} */
export const field = (form, name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

const isAnswer = (/** @type {string} */ name) => name.startsWith("q.");

/** @param {string} name of a field @returns {string} the question's id */
const questionOf = (name) => name.split(".")[1] ?? "";

/**
 * @param {HTMLFormElement} form
 * @param {Copy["state"]} state
 * @param {Copy} [earlier] the copy that it takes the place of
 * @returns {Copy}
 */
export function copyOf(form, state, earlier) {
  const fields = [...new FormData(form)].filter(([name]) => name !== "go" && name !== "work").map(([name, value]) => [name, String(value)]);
  const all = new URLSearchParams(fields);
  const written = fields.filter(([name]) => name === "typed" || isAnswer(name ?? ""));
  const place = all.get("place") ?? "";
  return {
    state,
    address: form.getAttribute("action") ?? "",
    receipt: all.get("receipt") ?? "",
    body: all.toString(),
    typed: { ...earlier?.typed, [place]: new URLSearchParams(written).toString() },
    at: Date.now(),
  };
}

/** @param {string | null} sheet @returns {string} the code under which it is saved for later */
export const draftOf = (sheet) => JSON.parse(sheet || "{}").draft ?? "";

/** @param {Copy} copy @param {string} sheet @returns {Copy} */
export function withSheet(copy, sheet) {
  const fields = new URLSearchParams(copy.body);
  fields.set("sheet", sheet);
  return { ...copy, body: fields.toString() };
}

/**
 * An older page ("back", reloaded, in another tab) learns what was answered after it was made, and what was cleared: of every question that the
 * later page knew of, its answer counts, or that it had none. The page's own fields decide over its own questions.
 * @param {HTMLFormElement} form @param {Copy} copy @returns {boolean} whether any answer is another one now
 */
export function catchUp(form, copy) {
  const known = JSON.parse(field(form, "sheet").value);
  const later = JSON.parse(new URLSearchParams(copy.body).get("sheet") || "{}");
  if (known.version !== later.version || !known.changes !== !later.changes) return false;
  const before = known.answers ?? {};
  const answers = { ...before };
  for (const id of later.seen ?? []) delete answers[id];
  known.answers = { ...answers, ...later.answers };
  known.seen = [...new Set([...(known.seen ?? []), ...(later.seen ?? [])])];
  if (later.reviewed) known.reviewed = true;
  if (later.draft) known.draft = later.draft;
  field(form, "sheet").value = JSON.stringify(known);
  const ids = [...Object.keys(before), ...Object.keys(known.answers)];
  return ids.some((id) => JSON.stringify(before[id]) !== JSON.stringify(known.answers[id]));
}

/**
 * Writes into the fields what was last typed in this section on this device. Without `all`, only where the page holds no answer.
 * @param {HTMLFormElement} form @param {Copy} copy @param {boolean} all
 */
export function fill(form, copy, all) {
  const typed = new URLSearchParams(copy.typed[field(form, "place").value] ?? "");
  if (typed.get("typed") !== field(form, "typed").value) return; // numbers and dates may be written otherwise in this language
  const answered = JSON.parse(field(form, "sheet").value).answers ?? {};
  for (const control of form.elements) {
    const input = /** @type {HTMLInputElement} */ (control);
    if (!isAnswer(input.name) || (!all && questionOf(input.name) in answered)) continue;
    const values = typed.getAll(input.name);
    const tick = input.type === "radio" || input.type === "checkbox";
    if (tick ? input.checked === values.includes(input.value) : !values.length || input.value === values[0]) continue;
    if (tick) input.checked = values.includes(input.value);
    else input.value = values[0] ?? "";
    input.dispatchEvent(new Event("change", { bubbles: true })); // questions that depend on it follow
  }
}
