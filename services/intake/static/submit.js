/** Sends forms as the browser itself does, in every browser: the page that answers comes on screen. */

/** @typedef {[string, FormDataEntryValue]} Field */

/**
 * What pressing this button sends, and some fields more. No other "submit" event is heard of it.
 * @param {HTMLFormElement} form @param {HTMLElement | null} button @param {Field[]} [more]
 */
export function submit(form, button, more = []) {
  const name = button?.getAttribute("name");
  /** @type {Field[]} */
  const pressed = name ? [[name, button?.getAttribute("value") ?? ""]] : [];
  post(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", [...new FormData(form), ...more, ...pressed]);
}

/** @param {string} address @param {Field[]} fields */
export function post(address, fields) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = String(value);
    form.append(field);
  }
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form); // a field of the name "submit" would hide it
  form.remove();
}

/** @type {HTMLButtonElement | null} */
let last = null;
document.addEventListener("click", (event) => (last = /** @type {Element} */ (event.target).closest?.("button") ?? null), true);

/** The button that submits; the one that was pressed last where the browser does not say it. @param {SubmitEvent} event */
export const buttonOf = (event) => /** @type {HTMLElement | null} */ (event.submitter ?? (last?.form === event.target ? last : null));
