// Shows one slide at a time on a wall. Space pauses, arrows turn; with reduced motion it waits until somebody starts it.

const TURN = 12000;
const page = document.documentElement;
const slides = () => [...document.querySelectorAll("[data-slide]")];
const button = (id) => document.getElementById(id);
let at = 0;
let timer = 0;
let paused = matchMedia("(prefers-reduced-motion: reduce)").matches;

function show(step = 0) {
  const all = slides();
  if (!all.length) return;
  at = (at + step + all.length) % all.length;
  all.forEach((slide, i) => slide.classList.toggle("now", i === at));
  clearTimeout(timer);
  if (!paused) timer = setTimeout(() => show(1), TURN);
}

function pause() {
  paused = !paused;
  button("turning").setAttribute("aria-pressed", String(paused));
  show();
}

page.classList.add("turning");
button("turning").setAttribute("aria-pressed", String(paused));
button("turning").addEventListener("click", pause);
button("back").addEventListener("click", () => show(-1));
button("next").addEventListener("click", () => show(1));
if (page.requestFullscreen) {
  button("full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : page.requestFullscreen()));
} else {
  button("full").remove();
}
document.addEventListener("keydown", (event) => {
  if (event.target.closest("button, a") && event.key === " ") return;
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) show(step);
  if (event.key === " ") {
    event.preventDefault();
    pause();
  }
});
document.addEventListener("figures", () => show());
show();
