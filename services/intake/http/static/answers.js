/**
 * What stands in a question's fields, read as the server reads it.
 *
 * @typedef {object} Ask a question: what makes its fields an answer
 * @property {string} id
 * @property {string} type
 * @property {boolean} [required]
 * @property {number|string} [min] @property {number|string} [max] of a number, a date, the choices, the characters of a text; a total
 * @property {number} [decimals]
 * @property {string[]} [alone] options, or rows of a matrix, that stand on their own
 * @property {string[]} [rows]
 * @property {number} [ranks]
 * @property {number} [parts] of a date: the year alone, with the month, or with the day too
 * @property {string} [pattern] what a text looks like
 *
 * @typedef {(name: string) => string[]} Fields the values of the fields of this name
 * @typedef {(id: string) => unknown} Kept the answer with which the page came
 * @typedef {{ value?: any, fault?: boolean }} Found no value: no answer, or none that the server could take
 */

/** @param {Ask} ask @param {Fields} fields @param {string} marks see `number` @param {Kept} [kept] @returns {Found} */
export function read(ask, fields, marks, kept) {
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
      const alone = ask.alone ?? [];
      const none = given.some(([row]) => alone.includes(row ?? ""));
      const missing = (ask.rows ?? []).filter((row) => !alone.includes(row)).length > given.length;
      return { value: Object.fromEntries(given), fault: none ? given.length > 1 : ask.required && missing };
    }
    case "ranking": {
      const ranks = Array.from({ length: ask.ranks ?? 0 }, (_, i) => text(i + 1));
      if (!ranks.some(Boolean)) return {};
      return ranks.every(Boolean) ? { value: ranks, fault: new Set(ranks).size < ranks.length } : { fault: true };
    }
    case "constant_sum":
      return shares((ask.rows ?? []).map((row) => [row, text(row)]), ask, marks, /** @type {any} */ (kept?.(ask.id)));
    case "integer":
    case "numeric": {
      const before = /** @type {any} */ (kept?.(ask.id));
      return instead(fields(`${name}.special`), () => {
        if (!text()) return {};
        if ((before?.typed ?? before) === text()) return { fault: true }; // it could not be read, and stays so until it is typed anew
        const value = number(text(), marks, ask.decimals ?? 0);
        return value === undefined || value < Number(ask.min) || value > Number(ask.max) ? { fault: true } : { value };
      });
    }
    case "date":
      return instead(fields(`${name}.special`), () => date(["year", "month", "day"].slice(0, ask.parts).map(text), ask));
    default: {
      const value = text().replace(/\r\n?/g, "\n");
      if (UNSEEN.test(value)) return {};
      if (length(value) > Number(ask.max)) return { fault: true };
      return { value, fault: Boolean(ask.pattern) && !new RegExp(`^(?:${ask.pattern})$`, "u").test(value) };
    }
  }
}

/** A text in which nothing is to be seen, as `proto/blank.py` judges it. */
const UNSEEN = /^[\p{Cc}\p{Cf}\p{Z}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\u{e0000}-\u{e0fff}]*$/u;

/** Characters as the server counts them. @param {string} text */
export const length = (text) => [...text].length;

/** The box that says none of the options applies. */
const NONE = "[]";

/** @param {string[]} chosen @param {Ask} ask @returns {Found} */
function choices(chosen, ask) {
  if (!chosen.length) return {};
  if (chosen.includes(NONE)) return chosen.length > 1 ? { fault: true } : { value: [] };
  if (chosen.length < Number(ask.min ?? 1) || chosen.length > Number(ask.max)) return { fault: true };
  return { value: chosen, fault: chosen.length > 1 && chosen.some((code) => ask.alone?.includes(code)) };
}

/** Numbers that share out a total. @param {string[][]} rows with what is typed @param {Ask} ask @param {string} marks @param {any} before @returns {Found} */
function shares(rows, ask, marks, before) {
  const typed = rows.filter(([, text]) => text);
  if (!typed.length) return {};
  const numbers = typed.map(([row = "", text = ""]) => (before?.[row] === text ? undefined : number(text, marks, 0)));
  if (numbers.some((share) => share === undefined || share < 0 || share > Number(ask.max))) return { fault: true };
  const value = Object.fromEntries(typed.map(([row], i) => [row, numbers[i]]));
  return { value, fault: sum(numbers) !== Number(ask.max) };
}

/** @param {(number|undefined)[]} numbers @returns {number} */
export const sum = (numbers) => numbers.reduce((/** @type {number} */ total, share) => total + (share ?? 0), 0);

/** A special value in place of a number or date: alone it is the answer. @param {string[]} ticked @param {() => Found} typed @returns {Found} */
function instead(ticked, typed) {
  const found = typed();
  if (!ticked.length) return found;
  return ticked.length > 1 || found.fault || found.value !== undefined ? { fault: true } : { value: ticked[0] };
}

const BLANKS = /[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+/g;
/** @type {[RegExp, string][]} */
const ALIKE = [[/[\u2212\ufe63\uff0d]/g, "-"], [/\uff0c/g, ","], [/\uff0e/g, "."], [/\u2019/g, "'"], [BLANKS, " "], [/^ | $/g, ""], [/- /g, "-"]];

/**
 * A number as people write it: "1 250", "1.250,5", "1,250.5"; nothing where it could mean two things.
 * @param {string} typed @param {string} marks the decimal mark, and after it the point or comma that this language writes between thousands
 * @param {number} decimals @returns {number | undefined}
 */
export function number(typed, marks, decimals) {
  const decimal = marks[0] ?? ".";
  const other = decimal === "," ? "." : ",";
  let bare = typed.replace(/[\uff10-\uff19]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
  for (const [pattern, plain] of ALIKE) bare = bare.replace(pattern, plain);
  for (const [between, ends] of [[" ", `.${decimal}`], ["'", `.${decimal}`], [other, decimal]]) {
    const grouped = new RegExp(`^-?[1-9][0-9]{0,2}((?:[${between}][0-9]{3})+)([${ends}][0-9]+)?$`).exec(bare);
    if (!grouped) continue;
    if (between === other && grouped[1]?.length === 4 && !grouped[2] && (decimals > 2 || !marks.includes(other))) return undefined;
    bare = bare.split(between ?? "").join("");
    break;
  }
  const found = new RegExp(`^(-?[0-9]{1,15})(?:([.${decimal}])([0-9]{1,10}))?$`).exec(bare);
  if (!found) return undefined;
  const [, whole, mark, fraction = ""] = found;
  if (fraction.length === 3 && (decimals < 3 || mark !== decimal)) return undefined;
  const significant = fraction.replace(/0+$/, "");
  return significant.length > decimals ? undefined : Number(`${whole}.${significant || 0}`);
}

/** @param {string[]} parts year, perhaps month and day @param {Ask} ask @returns {Found} */
function date(parts, ask) {
  if (!parts.some(Boolean)) return {};
  const written = parts.map((part, i) => (i && /^[0-9]$/.test(part) ? `0${part}` : part));
  const value = written.join("-");
  if (!new RegExp(`^\\d{4}(-\\d{2}){${parts.length - 1}}$`).test(value)) return { fault: true };
  const [year, month = 1, day = 1] = written.map(Number);
  const there = new Date(`${written[0]}-${written[1] ?? "01"}-01T00:00Z`);
  const real = Number(year) > 0 && !Number.isNaN(+there) && day >= 1 && day <= new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
  const within = value >= String(ask.min).slice(0, value.length) && value <= String(ask.max).slice(0, value.length);
  return { value, fault: !real || !within };
}
