/**
 * What stands in a question's fields, read as the server reads it.
 *
 * @typedef {object} Ask a question: what makes its fields an answer
 * @property {string} id
 * @property {string} type
 * @property {boolean} [required]
 * @property {number|string} [min] @property {number|string} [max] of a number, a date, the choices, the characters of a text
 * @property {number} [decimals]
 * @property {string[]} [alone] options that stand on their own
 * @property {string[]} [rows]
 * @property {number} [ranks]
 * @property {number} [parts] of a date: two, or three with the day
 *
 * @typedef {(name: string) => string[]} Fields the values of the fields of this name
 * @typedef {{ value?: any, fault?: boolean }} Found no value: no answer, or none that the server could take
 */

/** @param {Ask} ask @param {Fields} fields @param {string} mark of decimals @returns {Found} */
export function read(ask, fields, mark) {
  const name = `q.${ask.id}`;
  const text = (/** @type {string|number} */ part = "") => (fields(part === "" ? name : `${name}.${part}`)[0] ?? "").trim();
  switch (ask.type) {
    case "single":
      return { value: text() || undefined };
    case "multiple":
      return choices([...new Set(fields(name).filter(Boolean))], ask);
    case "matrix": {
      const given = (ask.rows ?? []).map((row) => [row, text(row)]).filter(([, code]) => code);
      if (!given.length) return {};
      return { value: Object.fromEntries(given), fault: ask.required && given.length < (ask.rows ?? []).length };
    }
    case "ranking": {
      const ranks = Array.from({ length: ask.ranks ?? 0 }, (_, i) => text(i + 1));
      if (!ranks.some(Boolean)) return {};
      return ranks.every(Boolean) ? { value: ranks, fault: new Set(ranks).size < ranks.length } : { fault: true };
    }
    case "integer":
    case "numeric": {
      if (!text()) return {};
      const value = number(text(), mark, ask.decimals ?? 0);
      return value === undefined || value < Number(ask.min) || value > Number(ask.max) ? { fault: true } : { value };
    }
    case "date":
      return date([text("year"), text("month"), ...(ask.parts === 3 ? [text("day")] : [])], ask);
    default: {
      const value = text().replace(/\r\n?/g, "\n");
      if (!value) return {};
      return length(value) > Number(ask.max) ? { fault: true } : { value };
    }
  }
}

/** Characters as the server counts them. @param {string} text */
export const length = (text) => [...text].length;

/** @param {string[]} chosen @param {Ask} ask @returns {Found} */
function choices(chosen, ask) {
  if (!chosen.length) return {};
  if (chosen.length < Number(ask.min ?? 1) || chosen.length > Number(ask.max)) return { fault: true };
  return { value: chosen, fault: chosen.length > 1 && chosen.some((code) => ask.alone?.includes(code)) };
}

/**
 * A number as people write it: "1 250", "1.250,5", "1,250.5"; nothing where it could mean two things.
 * @param {string} typed @param {string} mark @param {number} decimals @returns {number | undefined}
 */
export function number(typed, mark, decimals) {
  let bare = typed.replace(/[\s'\u2019]+/g, "");
  const group = mark === "," ? "." : ",";
  if (new RegExp(`^-?[0-9]{1,3}(\\${group}[0-9]{3})+(\\${mark}[0-9]+)?$`).test(bare)) bare = bare.replaceAll(group, "");
  if (!new RegExp(`^-?[0-9]{1,15}([.${mark}][0-9]{1,10})?$`).test(bare)) return undefined;
  const [whole, fraction = ""] = bare.replace(mark, ".").split(".");
  if (fraction.length === 3 && decimals < 3) return undefined;
  const significant = fraction.replace(/0+$/, "");
  return significant.length > decimals ? undefined : Number(`${whole}.${significant || 0}`);
}

/** @param {string[]} parts year, month and perhaps day @param {Ask} ask @returns {Found} */
function date(parts, ask) {
  if (!parts.some(Boolean)) return {};
  const written = parts.map((part, i) => (i && /^[0-9]$/.test(part) ? `0${part}` : part));
  const value = written.join("-");
  if (!(written.length === 3 ? /^\d{4}-\d{2}-\d{2}$/ : /^\d{4}-\d{2}$/).test(value)) return { fault: true };
  const [year, month, day = 1] = written.map(Number);
  const there = new Date(`${written[0]}-${written[1]}-01T00:00Z`);
  const real = Number(year) > 0 && !Number.isNaN(+there) && day >= 1 && day <= new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
  const within = value >= String(ask.min).slice(0, value.length) && value <= String(ask.max).slice(0, value.length);
  return { value, fault: !real || !within };
}
