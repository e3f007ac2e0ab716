/**
 * Values that are computed from answers, as `proto/computed.py` does it: in whole steps, so that nothing is rounded but the result.
 *
 * @typedef {object} Calculation
 * @property {"sum"|"mean"|"count"|"min"|"max"|"score"} op
 * @property {number} scale steps of a one @property {number} least how many parts must be known
 * @property {{ q?: string, row?: string, worths?: Record<string, number>, worth?: number, counts?: boolean }[]} items
 *   the parts: a question of this page, perhaps a row of it, and what its codes are worth; or what is known already. A row without codes is
 *   a share of a total: 0 where only others have one
 */

/** @param {Calculation} how @param {number} decimals @param {Map<string, any>} answers @returns {number | undefined} */
export function compute(how, decimals, answers) {
  const known = how.items.map((item) => worth(item, how.scale, answers)).filter((steps) => steps !== undefined);
  if (!known.length || known.length < how.least) return undefined;
  const sum = known.reduce((one, other) => one + other, 0);
  switch (how.op) {
    case "mean":
      return rounded(sum, how.scale * known.length, decimals);
    case "score":
      return rounded(sum * how.items.length, how.scale * known.length, decimals);
    case "min":
      return rounded(Math.min(...known), how.scale, decimals);
    case "max":
      return rounded(Math.max(...known), how.scale, decimals);
    default:
      return rounded(sum, how.scale, decimals);
  }
}

/** @param {Calculation["items"][number]} item @param {number} scale @param {Map<string, any>} answers @returns {number | undefined} */
function worth(item, scale, answers) {
  if (!item.q) return item.worth;
  const answer = answers.get(item.q);
  const given = item.row ? (answer?.[item.row] ?? (answer && !item.worths ? 0 : undefined)) : answer;
  if (Array.isArray(given)) return given.length;
  if (typeof given === "number") return item.counts ? 1 : Math.round(given * scale);
  return typeof given === "string" ? item.worths?.[given] : undefined;
}

/** Steps over steps to so many decimals, a half to the even digit. @param {number} above @param {number} below @param {number} decimals */
function rounded(above, below, decimals) {
  const ten = 10 ** decimals;
  const whole = Math.floor((above * ten) / below);
  const twice = 2 * (above * ten - whole * below);
  return (twice > below || (twice === below && whole % 2 !== 0) ? whole + 1 : whole) / ten;
}
