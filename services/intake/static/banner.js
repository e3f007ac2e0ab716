/** The banner: one honest sentence about where the answers are, in the page's language. */

const region = document.getElementById("device");

/**
 * @param {"saved"|"off"|"offline"|"online"|"forgotten"|"sending"|"waiting"|"sent"|"recorded"|"deleted"} state names one of the banner's data-attributes
 */
export function say(state) {
  const sentence = region?.dataset[state];
  if (!region || !sentence || region.textContent === sentence) return;
  // That writing is saved goes without saying aloud on every page; whatever else changes is announced.
  region.setAttribute("aria-live", state === "saved" ? "off" : "polite");
  region.dataset.state = state;
  region.textContent = sentence;
}

/** Puts a button beside the sentence. @param {string} label @param {() => void} act */
export function offer(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button plain small";
  button.textContent = label;
  button.addEventListener("click", act);
  region?.append(" ", button);
}

/** @param {string} name @returns {string} words that the page carries for its scripts */
export const word = (name) => region?.dataset[name] ?? "";
