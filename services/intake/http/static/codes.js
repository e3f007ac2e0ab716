/** Codes that people type: read as proto/codes.py reads them. */

export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BETWEEN = /[^0-9A-Za-z]+/g;
const HYPHENED = /\w+(?:[-\u2010-\u2015\u2212]\w+)*/g;
const GROUP = 4;

/** @param {string} typed @returns {string} capitals, without what stands between them, O read as 0, I and L as 1 */
export const bare = (typed) => typed.replace(BETWEEN, "").toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1");

/**
 * The bare code of one of these lengths, check characters included, alone or in groups of four among other words. One whose groups
 * hyphens join comes before one that a word beside it makes up by chance.
 * @param {string} typed @param {number[]} lengths the likeliest first
 * @returns {string} "" where there is none
 */
export function read(typed, lengths) {
  const whole = bare(typed);
  if (lengths.includes(whole.length)) return sound(whole) ? whole : "";
  for (const length of lengths) {
    const hyphened = new Set((typed.match(HYPHENED) ?? []).flatMap((part) => inFours(part, length)));
    const found = hyphened.size ? hyphened : new Set(inFours(typed, length));
    if (found.size === 1) return [...found][0];
  }
  return "";
}

/** The valid codes of this length among successive words of four. @param {string} text @param {number} length @returns {string[]} */
function inFours(text, length) {
  const words = text.split(BETWEEN);
  return words
    .map((_, first) => words.slice(first, first + length / GROUP))
    .filter((few) => few.length === length / GROUP && few.every((group) => group.length === GROUP))
    .map((few) => bare(few.join("")))
    .filter(sound);
}

/** Whether the check characters at the end of a bare code fit the others (Reed and Solomon, as in proto/codes.py). @param {string} code */
function sound(code) {
  let first = 0;
  let second = 0;
  for (const letter of code.slice(0, -2)) {
    const carried = ALPHABET.indexOf(letter) ^ first;
    if (carried < 0) return false;
    [first, second] = [second ^ times(6, carried), times(8, carried)];
  }
  return code.slice(-2) === ALPHABET[first] + ALPHABET[second];
}

/** The product in GF(32), built with x⁵ + x² + 1. @param {number} a @param {number} b */
function times(a, b) {
  let product = 0;
  for (; b; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a & 32) a ^= 0b100101;
  }
  return product;
}
