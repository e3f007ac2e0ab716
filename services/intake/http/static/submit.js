/** Sends forms as the browser itself does, in every browser: the page that answers comes on screen. */

/** @typedef {[string, FormDataEntryValue]} Field */

/**
 * What pressing this button sends, and some fields more. No other "submit" event is heard of it.
 * @param {HTMLFormElement} form @param {HTMLElement | null} button @param {Field[]} [more]
 */
export function submit(form, button, more = []) {
  const name = button?.getAttribute("name");
  const added = [...more, .../** @type {Field[]} */ (name ? [[name, button?.getAttribute("value") ?? ""]] : [])].map(hidden);
  const action = form.getAttribute("action") ?? "";
  form.append(...added);
  form.setAttribute("action", button?.getAttribute("formaction") ?? action);
  HTMLFormElement.prototype.submit.call(form); // a field of the name "submit" would hide it
  form.setAttribute("action", action);
  for (const field of added) field.remove();
}

/** @param {string} address @param {Field[]} fields */
export function post(address, fields) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  document.body.append(form);
  submit(form, null, fields);
  form.remove();
}

/** @param {Field} field */
function hidden([name, value]) {
  return Object.assign(document.createElement("input"), { type: "hidden", name, value: String(value) });
}

/** @type {HTMLButtonElement | null} */
let last = null;
if (!("submitter" in (globalThis.SubmitEvent?.prototype ?? {}))) {
  document.addEventListener("click", (event) => (last = /** @type {Element} */ (event.target).closest?.("button") ?? null), true);
}

/** The button that submits; the one that was pressed last where the browser does not say it. @param {SubmitEvent} event */
export const buttonOf = (event) => /** @type {HTMLElement | null} */ (event.submitter ?? (last?.form === event.target ? last : null));
