// Follows new figures: when the server announces an edition, this page is fetched again and what differs is put in place.
// Without this script the page is complete; a reload does the same.

import { glide } from "./glide.js";
import { look, settle } from "./settle.js";
import { speaker } from "./news.js";

const figures = () => document.getElementById("figures");
const hold = document.getElementById("hold");
const say = speaker(document.getElementById("news"), document.getElementById("told"));

let held = false;
let fetching = false;
let missed = false;

async function renew() {
  if (held || fetching || document.hidden) {
    missed = true;
    return;
  }
  if (!figures().dataset.revision) return location.reload(); // the first figures: the whole page is another one
  fetching = true;
  missed = false;
  try {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("figures");
    if (!fresh || held || fresh.dataset.revision === figures().dataset.revision) return;
    const before = glide.remember(figures());
    look(figures());
    settle(figures(), fresh);
    glide.from(before, figures());
    document.dispatchEvent(new CustomEvent("figures"));
    say(figures().dataset.news ?? "");
  } finally {
    fetching = false;
    if (missed && !held && !document.hidden) setTimeout(renew, 300);
  }
}

const source = new EventSource(figures().dataset.events);
source.addEventListener("snapshot", (event) => {
  if (event.lastEventId !== figures().dataset.revision) renew();
});
source.addEventListener("error", () => say.state("lost"));
source.addEventListener("open", () => say.state(held ? "held" : "on"));
document.addEventListener("visibilitychange", () => { if (missed) renew(); });

if (hold) {
  hold.parentElement.classList.add("on");
  hold.addEventListener("click", () => {
    held = !held;
    hold.setAttribute("aria-pressed", String(held));
    say.state(held ? "held" : "on");
    if (!held && missed) renew();
  });
}
