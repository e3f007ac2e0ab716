// Puts what differs in a fresh rendering in place of the old, so that focus, scroll and open lists stay and bars can glide.

const OWN = new Set(["id", "data-kept", "data-near"]);
const GLIDING = ".figure, .headlines > li, .slide";

/** Marks what is in view: only there bars glide. Thousands that nobody sees would keep a small device busy. */
export function look(root) {
  const seen = (box) => box.bottom > 0 && box.top < innerHeight;
  const boxes = [...root.querySelectorAll(GLIDING)].map((element) => [element, seen(element.getBoundingClientRect())]);
  for (const [element, near] of boxes) element.toggleAttribute("data-near", near);
}

export function settle(now, fresh) {
  if (now.nodeType === Node.TEXT_NODE) {
    if (now.data !== fresh.data) now.data = fresh.data;
    return;
  }
  if (now.nodeType !== Node.ELEMENT_NODE || "kept" in now.dataset || now.isEqualNode(fresh)) return;
  attributes(now, fresh);
  const [old, next] = [[...now.childNodes], [...fresh.childNodes]];
  if (old.length === next.length && old.every((node, i) => alike(node, next[i]))) {
    old.forEach((node, i) => settle(node, next[i]));
  } else {
    now.replaceChildren(...next.map((node) => document.adoptNode(node)));
  }
}

const alike = (one, other) => one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");

function attributes(now, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (now.getAttribute(name) !== value && !OWN.has(name)) now.setAttribute(name, value);
  }
  for (const { name } of [...now.attributes]) {
    if (!fresh.hasAttribute(name) && !OWN.has(name)) now.removeAttribute(name);
  }
}
