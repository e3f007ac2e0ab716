// Says what happens: to everybody at once what became of following, to those who listen at most every fifteen seconds what is new.
// New numbers stand in the figures themselves. Said in sight they would be those of up to fifteen seconds ago, beside the current ones.

const PACE = 15000;

export function speaker(region, unseen) {
  const heard = unseen ?? region;
  let last = -PACE;
  let waiting = 0;
  let text = "";
  const speak = () => {
    waiting = 0;
    last = performance.now();
    if (heard) heard.textContent = text;
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
