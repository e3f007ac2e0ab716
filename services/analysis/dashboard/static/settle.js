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
  if (now.nodeType !== Node.ELEMENT_NODE) {
    if (now.nodeValue !== fresh.nodeValue) now.nodeValue = fresh.nodeValue;
    return;
  }
  if (now.hasAttribute("data-kept")) return;
  attributes(now, fresh);
  if (!matching(now, fresh)) {
    now.textContent = "";
    now.append(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    return;
  }
  for (let [old, next] = [now.firstChild, fresh.firstChild]; old; [old, next] = [old.nextSibling, next.nextSibling]) settle(old, next);
}

/** Whether each child has its counterpart. */
function matching(now, fresh) {
  let [old, next] = [now.firstChild, fresh.firstChild];
  while (old && next && old.nodeName === next.nodeName && old.id === next.id) [old, next] = [old.nextSibling, next.nextSibling];
  return !old && !next;
}

function attributes(now, fresh) {
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name);
    if (now.getAttribute(name) !== value && !OWN.has(name)) now.setAttribute(name, value);
  }
  for (const name of now.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && !OWN.has(name)) now.removeAttribute(name);
  }
}
