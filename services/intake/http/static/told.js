/** What the page says by itself: sentences from the catalogue, with numbers as its language writes them, to whoever listens. */

const live = document.getElementById("told");
const language = document.documentElement.lang;
const plural = new Intl.PluralRules(language);
const written = new Intl.NumberFormat(language);

/** Says it politely. @param {string} text */
export function tell(text) {
  if (!live) return;
  live.textContent = "";
  setTimeout(() => (live.textContent = text), 50); // the same sentence twice is heard twice
}

/** @param {string} name @param {Record<string, string | number>} values @returns {string} */
tell.sentence = (name, values) => {
  const forms = JSON.parse(live?.dataset[name] ?? '{"other":""}');
  const form = forms[plural.select(Number(values.count ?? 0))] ?? forms.other;
  return form.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ key) => {
    const value = values[key] ?? "";
    return typeof value === "number" ? written.format(value) : value;
  });
};

/** @param {string} name @returns {string} a word that the page carries */
tell.word = (name) => live?.dataset[name] ?? "";
