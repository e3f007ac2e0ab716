/** Below a list that is too narrow for it, what was chosen stands whole; who listens hears it from the list itself. */

const ROOM = 24;
/** Characters that a list shows on a phone. */

/** @param {HTMLElement} inside */
export function chosen(inside) {
  for (const list of inside.querySelectorAll("select")) {
    const text = Object.assign(document.createElement("p"), { className: "whole" });
    text.setAttribute("aria-hidden", "true");
    const follow = () => {
      const label = (list.value && list.selectedOptions[0]?.textContent) || "";
      text.textContent = label.length > ROOM ? label : "";
    };
    (list.closest(".chosen") ?? list).after(text);
    list.closest(".field")?.addEventListener("change", () => setTimeout(follow));
    follow();
  }
}
