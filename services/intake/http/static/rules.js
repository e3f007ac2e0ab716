/**
 * Which questions a page asks: the rules of the instrument, as the server judges them.
 *
 * @typedef {object} Rule one test (`q`, `op`, `value`, `rows`), or `all` / `any` / `not` of others
 * @property {string} [q] @property {string} [op] @property {string[]} [value] @property {string[]} [rows]
 * @property {Rule[]} [all] @property {Rule[]} [any] @property {Rule} [not]
 *
 * @typedef {import("./answers.js").Ask & { rule?: Rule, leans?: string[] }} Ruled
 */

import { read } from "./answers.js";

/** @param {Rule} rule @param {Map<string, any>} answers @returns {boolean} `not_in` also holds where there is no answer */
export function holds(rule, answers) {
  if (rule.all) return rule.all.every((part) => holds(part, answers));
  if (rule.any) return rule.any.some((part) => holds(part, answers));
  if (rule.not) return !holds(rule.not, answers);
  const given = answers.get(rule.q ?? "");
  const among = (/** @type {any} */ code) => (rule.value ?? []).includes(code);
  switch (rule.op) {
    case "in":
      return among(given);
    case "not_in":
      return !among(given);
    case "any_in":
      return (given ?? []).some(among);
    case "any_row_in":
      return (rule.rows?.length ? rule.rows : Object.keys(given ?? {})).some((row) => among(given?.[row]));
    case "answered":
      return given !== undefined;
    default:
      throw new Error(`unknown rule: ${rule.op}`);
  }
}

/**
 * The questions that these fields leave on the page. One is asked once every required question that its rule leans on is answered.
 * @param {Ruled[]} asks in order @param {import("./answers.js").Fields} fields @param {string} marks of numbers
 * @param {import("./answers.js").Kept} [kept]
 * @returns {Set<string>}
 */
export function shown(asks, fields, marks, kept) {
  const answers = new Map();
  const unsettled = new Set();
  const found = new Set();
  for (const ask of asks) {
    if ((ask.leans ?? []).some((id) => unsettled.has(id))) unsettled.add(ask.id);
    else if (!ask.rule || holds(ask.rule, answers)) {
      const { value, fault } = read(ask, fields, marks, kept);
      found.add(ask.id);
      if (value !== undefined) answers.set(ask.id, value);
      if (fault || (ask.required && value === undefined)) unsettled.add(ask.id);
    }
  }
  return found;
}
