/** How many characters are left beside each text, how much of a total is given: seen at once, heard once the writing rests. */

import { length, number, sum } from "./answers.js";
import { tell } from "./told.js";

const REST = 1000;
/** Milliseconds without a key. */

let timer = 0;

const marks = document.getElementById("told")?.dataset.marks ?? ".";

/** @param {HTMLElement} inside the counters in here are brought up to date */
export function count(inside) {
  for (const counter of /** @type {NodeListOf<HTMLElement>} */ (inside.querySelectorAll("[data-total]"))) {
    const shares = [...(counter.parentElement?.querySelectorAll("input") ?? [])].map((input) => number(input.value.trim(), marks, 0));
    const given = sum(shares);
    counter.textContent = tell.sentence("given", { given, total: Number(counter.dataset.total) });
    counter.classList.toggle("message", given > Number(counter.dataset.total));
  }
  for (const counter of /** @type {NodeListOf<HTMLElement>} */ (inside.querySelectorAll("[data-limit]"))) {
    const text = /** @type {HTMLTextAreaElement} */ (counter.parentElement?.querySelector("textarea, input"));
    const left = Number(counter.dataset.limit) - length(text.value.trim().replace(/\r\n?/g, "\n"));
    counter.textContent = tell.sentence(left < 0 ? "over" : "left", { count: Math.abs(left) });
    counter.classList.toggle("message", left < 0);
  }
}

/** @param {HTMLFormElement} form */
export function counters(form) {
  form.addEventListener("input", (event) => {
    const field = /** @type {HTMLElement} */ (event.target).closest(".field");
    const counter = field?.querySelector("[data-limit], [data-total]");
    if (!counter) return;
    count(/** @type {HTMLElement} */ (field));
    clearTimeout(timer);
    timer = setTimeout(() => tell(counter.textContent ?? ""), REST);
  });
  count(form);
}
