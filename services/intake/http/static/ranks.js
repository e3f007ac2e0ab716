/** Buttons that move an option up and down its ranking; the selects beside them say and send the same. */

import { tell } from "./told.js";

/** @typedef {{ select: HTMLSelectElement, moves: HTMLElement }} Rank */

/** @param {HTMLFormElement} form */
export function ranks(form) {
  for (const field of form.querySelectorAll(".field.ranks")) {
    const list = [...field.querySelectorAll(".part")].map((part) => ({
      select: /** @type {HTMLSelectElement} */ (part.querySelector("select")),
      moves: /** @type {HTMLElement} */ (part.querySelector(".moves")),
    }));
    list.forEach((rank, i) => {
      for (const by of [-1, 1]) rank.moves.append(button(list, i, by));
    });
    field.addEventListener("change", () => name(list));
    name(list);
  }
}

/** @param {Rank[]} list @param {number} i @param {number} by @returns {HTMLButtonElement} */
function button(list, i, by) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "move", textContent: by < 0 ? "↑" : "↓" });
  made.dataset.by = String(by);
  made.addEventListener("click", () => move(list, i, by));
  return made;
}

const chosen = (/** @type {Rank} */ rank) => (rank.select.value ? rank.select.selectedOptions[0]?.textContent ?? "" : "");

/** What each button moves, or that there is nothing to move. @param {Rank[]} list */
function name(list) {
  list.forEach((rank, i) => {
    for (const made of /** @type {NodeListOf<HTMLButtonElement>} */ (rank.moves.querySelectorAll("button"))) {
      const by = Number(made.dataset.by);
      made.hidden = !chosen(rank) || !list[i + by];
      made.title = tell.sentence(by < 0 ? "up" : "down", { option: chosen(rank) });
      made.setAttribute("aria-label", made.title);
    }
  });
}

/** @param {Rank[]} list @param {number} i @param {number} by */
function move(list, i, by) {
  const from = list[i];
  const to = list[i + by];
  if (!from || !to) return;
  [from.select.value, to.select.value] = [to.select.value, from.select.value];
  to.select.dispatchEvent(new Event("change", { bubbles: true }));
  const same = /** @type {HTMLButtonElement | null} */ (to.moves.querySelector(`button:not([hidden])[data-by="${by}"]`));
  (same ?? /** @type {HTMLButtonElement | null} */ (to.moves.querySelector("button:not([hidden])")))?.focus();
  tell(tell.sentence("moved", { option: chosen(to), rank: i + by + 1 }));
}
