/** Takes what somebody has to keep off the page: to the clipboard, into a file, to another app, onto paper. */

for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".keep"))) offer(place);

/** @param {HTMLElement} place */
function offer(place) {
  const { code = "", name = "", copied = "" } = place.dataset;
  const text = (place.dataset.text ?? "").replace("{origin}", location.origin);
  const told = /** @type {HTMLElement} */ (place.querySelector("[aria-live]"));
  /** @type {Record<string, () => unknown>} */
  const acts = {
    copy: async () => {
      await navigator.clipboard.writeText(code);
      told.textContent = copied;
    },
    save: () => save(text, `${name}.txt`),
    share: () => navigator.share({ title: document.title, text }).catch(() => {}), // closing the choice is no failure
    print: () => print(),
  };
  for (const button of place.querySelectorAll("button")) {
    button.addEventListener("click", () => acts[button.value]?.());
    button.hidden = (button.value === "copy" && !navigator.clipboard) || (button.value === "share" && !navigator.share); // both want https
  }
  place.hidden = false;
}

/** @param {string} text @param {string} name of the file */
function save(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
