// Says what happens in the page's live region: at once what the reader did, figures at most every fifteen seconds.

const PACE = 15000;

export function speaker(region) {
  let last = -PACE;
  let waiting = 0;
  let text = "";
  const speak = () => {
    waiting = 0;
    last = performance.now();
    if (region) region.textContent = text;
  };
  const say = (sentence) => {
    text = sentence;
    if (!waiting) waiting = setTimeout(speak, Math.max(0, last + PACE - performance.now()));
  };
  /** "on", "held" or "lost": takes the place of what was to be said. */
  say.state = (name) => {
    clearTimeout(waiting);
    waiting = 0;
    const sentence = region?.dataset[name] ?? "";
    if (region && region.textContent !== sentence) region.textContent = sentence;
  };
  return say;
}
