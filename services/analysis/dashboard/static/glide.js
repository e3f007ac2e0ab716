// Numbers run from the old value to the new one; readers who want less motion see the new one at once.

const LENGTH = 400;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const locale = document.documentElement.lang || "en";
const parts = new Intl.NumberFormat(locale, { useGrouping: true }).formatToParts(1234567.5);
const of = (type) => parts.find((part) => part.type === type)?.value ?? "";
const [group, decimal] = [of("group"), of("decimal")];
const NUMBER = /[+\u2212]?\d[\d.,\u00a0\u202f\u2019]*/u;

/** The number in a text: what stands before and after it, its value and its decimals. Null where there is none. */
export function read(text) {
  const found = NUMBER.exec(text);
  if (!found) return null;
  const plain = found[0].split(group || "\u202f").join("").replace(/[\u00a0\u202f\u2019]/gu, "").replace(decimal, ".").replace("\u2212", "-");
  const value = Number(plain);
  if (Number.isNaN(value)) return null;
  const digits = plain.split(".")[1]?.length ?? 0;
  return { before: text.slice(0, found.index), after: text.slice(found.index + found[0].length), value, digits, signed: plain.startsWith("+") };
}

/** Of a figure out of view not even the place is asked, which would lay it out. */
const inView = (element) => {
  if (element.closest(".figure:not([data-near])")) return false;
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};

const marked = (root) => [...root.querySelectorAll("[data-glide]")];

export const glide = {
  /** The texts that may run, by their place. */
  remember(root) {
    return still.matches ? [] : marked(root).map((element) => element.textContent);
  },
  from(before, root) {
    const all = marked(root);
    if (before.length !== all.length) return;
    const runs = [];
    all.forEach((element, i) => {
      const end = element.textContent;
      if (before[i] === end || element.childElementCount || !inView(element)) return;
      const [a, b] = [read(before[i]), read(end)];
      if (a && b && a.after === b.after && a.before === b.before) runs.push({ text: element.firstChild, a, b, end, format: like(a, b) });
    });
    if (runs.length) requestAnimationFrame((start) => step(runs, start, start));
  },
};

/** Writes numbers with as many decimals as the finer of two, and with a sign where the new one has it. */
function like(a, b) {
  const digits = Math.max(a.digits, b.digits);
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: b.signed ? "exceptZero" : "auto" });
}

function step(runs, start, now) {
  const part = Math.min((now - start) / LENGTH, 1);
  const eased = 1 - (1 - part) ** 3;
  for (const { text, a, b, end, format } of runs) {
    if (part === 1) {
      text.data = end;
    } else {
      const value = a.value + (b.value - a.value) * eased;
      text.data = b.before + format.format(value).replace("-", "\u2212") + b.after;
    }
  }
  if (part < 1) requestAnimationFrame((later) => step(runs, start, later));
}
