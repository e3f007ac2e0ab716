/** Texts that show earlier answers, filled in anew as these change: as `services/intake/form/piped_texts.py` does. */

const STAND_IN = "\u2026";
const PLACEHOLDER = /\{\{|\}\}|\{([A-Z]\w{0,63})\}/g;

const told = document.getElementById("told")?.dataset ?? {};
/** @type {Record<string, string>} labels of the answers with which the page came */
const labels = JSON.parse(told.pipes ?? "{}");
/** @type {Record<string, string>} how this language lists things: two of them, and the start, the middle and the end of more */
const patterns = JSON.parse(told.list ?? "{}");

/** @param {string} name of a pattern @param {string} one @param {string} other */
const join = (name, one, other) => (patterns[name] ?? "{0}, {1}").replace(/\{([01])\}/g, (_, place) => (place === "0" ? one : other));

/** @param {string[]} items @returns {string} */
function listed([first, ...others]) {
  const last = others.pop();
  if (last === undefined) return first ?? STAND_IN;
  if (!others.length) return join("2", first ?? "", last);
  return join("end", others.reduce((before, item, i) => join(i ? "middle" : "start", before, item), first ?? ""), last);
}

/** @param {HTMLElement} field @param {string} code @returns {string} the option's text, as the page shows it */
function option(field, code) {
  const control = field.querySelector(`[name="${CSS.escape(`q.${field.id}`)}"][value="${CSS.escape(code)}"], option[value="${CSS.escape(code)}"]`);
  const shown = control instanceof HTMLOptionElement ? control : field.querySelector(`label[for="${CSS.escape(control?.id ?? "")}"]`);
  return shown?.textContent?.trim() ?? code;
}

/**
 * @param {HTMLElement[]} elements with the text as it was written @param {Map<string, any>} answers of this page
 * @param {(id: string) => HTMLElement | undefined} fieldOf a question that this page may ask
 * @returns {HTMLElement[]} those that say something else now
 */
export function refill(elements, answers, fieldOf) {
  const label = (/** @type {string} */ id) => {
    const field = fieldOf(id);
    if (!field) return labels[id] ?? STAND_IN;
    return answers.has(id) ? listed([answers.get(id)].flat().map((code) => option(field, code))) : STAND_IN;
  };
  return elements.filter((element) => {
    const text = (element.dataset.piped ?? "").replace(PLACEHOLDER, (brace, id) => (id ? label(id) : brace[0]));
    if (text === element.textContent) return false;
    element.textContent = text;
    return true;
  });
}
