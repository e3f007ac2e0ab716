// Follows new figures: when the server announces an edition, this page's figures are fetched again and put in place.
// Without this script the page is complete; a reload does the same.

const figures = () => document.getElementById("figures");
const say = (text) => {
  const news = document.getElementById("news");
  if (news) news.textContent = text;
};

let fetching = false;
let again = false;

async function renew() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("figures");
    if (!fresh || fresh.dataset.revision === figures().dataset.revision) return;
    const open = [...figures().querySelectorAll("details")].map((details) => details.open);
    const focused = document.activeElement?.getAttribute?.("href");
    figures().replaceWith(document.adoptNode(fresh));
    figures().querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? false; });
    if (focused) figures().querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    say(document.getElementById("news")?.dataset.new ?? "");
  } finally {
    fetching = false;
    if (again) {
      again = false;
      setTimeout(renew, 1000);
    }
  }
}

const source = new EventSource(figures().dataset.events);
source.addEventListener("snapshot", (event) => {
  if (event.lastEventId !== figures().dataset.revision) renew();
});
say(document.getElementById("news")?.dataset.text ?? "");
