/**
 * Which questions a page asks: the rules of the instrument, as the server judges them.
 *
 * @typedef {object} Rule one test (`q`, `op`, `value`, `rows`, `other`), or `all` / `any` / `not` of others
 * @property {string} [q] @property {string} [op] @property {(string|number)[]} [value] @property {string[]} [rows] @property {string} [other]
 * @property {Rule[]} [all] @property {Rule[]} [any] @property {Rule} [not]
 *
 * @typedef {import("./answers.js").Ask & { rule?: Rule, leans?: string[], ruled?: Record<string, Rule>, away?: string[],
 *   computed?: import("./computed.js").Calculation }} Ruled
 *   `ruled`: the rules of its options, or rows; `away`: those that are not on the page
 */

import { read } from "./answers.js";
import { compute } from "./computed.js";

/**
 * @param {Rule} rule @param {Map<string, any>} answers @param {Map<string, any>} measures what is compared of these answers
 * @returns {boolean} `not_in` also holds where there is no answer, a comparison does not
 */
export function holds(rule, answers, measures) {
  if (rule.all) return rule.all.every((part) => holds(part, answers, measures));
  if (rule.any) return rule.any.some((part) => holds(part, answers, measures));
  if (rule.not) return !holds(rule.not, answers, measures);
  const given = answers.get(rule.q ?? "");
  const among = (/** @type {any} */ code) => (rule.value ?? []).includes(code);
  const order = (/** @type {any} */ other) => compared(measures.get(rule.q ?? ""), other);
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
    case "at_least":
      return order(rule.value?.[0]) >= 0;
    case "at_most":
      return order(rule.value?.[0]) <= 0;
    case "between":
      return order(rule.value?.[0]) >= 0 && order(rule.value?.[1]) <= 0;
    case "same_as":
      return order(measures.get(rule.other ?? "")) === 0;
    case "before":
      return order(measures.get(rule.other ?? "")) < 0;
    default:
      throw new Error(`unknown rule: ${rule.op}`);
  }
}

/** What is compared of an answer, as `proto/comparisons.py` has it. @param {Ruled} ask @param {any} value @returns {number | string | undefined} */
function measure(ask, value) {
  if (ask.type === "multiple") return value.length;
  const date = ask.type === "date" && /^\d{4}(-\d{2}){0,2}$/.test(value);
  return date || typeof value === "number" ? value : undefined;
}

/** @param {any} one @param {any} other @returns {number} below 0, 0, above 0, or NaN where they cannot be compared; dates by what both tell */
function compared(one, other) {
  if (one === undefined || other === undefined || typeof one !== typeof other) return NaN;
  const [a, b] = typeof one === "number" ? [one, other] : [one.slice(0, other.length), other.slice(0, one.length)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The questions that these fields leave on the page, and the answers in them. One is asked once every required question that its rule leans
 * on is answered.
 * @param {Ruled[]} asks in order @param {import("./answers.js").Fields} fields @param {string} marks of numbers
 * @param {import("./answers.js").Kept} [kept]
 * @returns {{ found: Set<string>, answers: Map<string, any>, hidden: Map<string, Set<string>> }} `hidden`: the options and rows that are
 * not there, by question
 */
export function judge(asks, fields, marks, kept) {
  const hidden = new Map();
  const answers = new Map();
  const measures = new Map();
  const unsettled = new Set();
  const found = new Set();
  for (const ask of asks) {
    if (ask.computed) {
      const value = compute(ask.computed, ask.decimals ?? 0, answers);
      if (value === undefined) continue;
      answers.set(ask.id, value);
      measures.set(ask.id, value);
    } else if ((ask.leans ?? []).some((id) => unsettled.has(id))) unsettled.add(ask.id);
    else if (!ask.rule || holds(ask.rule, answers, measures)) {
      const gone = new Set(ask.away);
      for (const [code, rule] of Object.entries(ask.ruled ?? {})) if (!holds(rule, answers, measures)) gone.add(code);
      hidden.set(ask.id, gone);
      const rows = ask.rows?.filter((row) => !gone.has(row));
      const there = ask.type === "matrix" ? fields : (/** @type {string} */ name) => fields(name).filter((code) => !gone.has(code));
      const { value, fault } = read(gone.size ? { ...ask, rows } : ask, gone.size ? there : fields, marks, kept);
      found.add(ask.id);
      if (value !== undefined) {
        answers.set(ask.id, value);
        measures.set(ask.id, measure(ask, value));
      }
      if (fault || (ask.required && value === undefined)) unsettled.add(ask.id);
    }
  }
  return { found, answers, hidden };
}
