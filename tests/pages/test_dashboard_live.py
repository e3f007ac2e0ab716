"""`platea simulate` at 50 a second, a phone and a desktop watching: figures move, are right, and are there in time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request

from playwright.sync_api import Browser, Page, expect

from deploy.cli.bulk_sender import BulkSubmission, Sender
from deploy.cli.respondents import Population
from proto.receipt import make
from services.analysis.disclosure.parameters import OPEN
from tests.builders.bundled import questionnaire
from tests.faults.operated import Operated
from tests.pages.gallery import SURVEY

FIRST, RATE, COUNT = 60, 50, 400
SEEN = """() => {
    window.seen = [];
    const figures = document.getElementById("figures");
    const came = {};
    new EventSource(figures.dataset.events).addEventListener("snapshot", (event) => { came[event.lastEventId] ??= Date.now() / 1000; });
    const look = () => requestAnimationFrame(() => {
        const now = Date.now() / 1000;
        window.seen.push([Number(figures.dataset.responses), now, now - (came[figures.dataset.revision] ?? now)]);
    });
    new MutationObserver(look).observe(figures, {attributeFilter: ["data-responses"]});
}"""


def simulate(url: str, accepted: list[float]) -> None:
    """Like the command, noting when each answer was accepted."""

    async def run() -> None:
        population = Population(questionnaire(SURVEY), 3, "2026-11-22")
        submissions = (BulkSubmission(number, make(), population.body(number)) for number in range(COUNT))
        async with Sender(url, SURVEY, 64, None) as sender:
            async for reply in sender.send_all(submissions, RATE):
                if reply.accepted:
                    accepted.append(time.time())

    asyncio.run(run())


def delays(accepted: list[float], seen: list[list[float]]) -> list[float]:
    """Seconds from each acceptance until a page shows as many answers. Answers since the last edition are not shown."""
    last = seen[-1][0]
    found: list[float] = []
    for number, at in enumerate(sorted(accepted), FIRST + 1):
        if number <= last:
            found.append(next(when for count, when, _ in seen if count >= number) - at)
    return sorted(found)


def test_figures_move_on_phone_and_desktop_while_fifty_a_second_answer(chromium: Browser, stack: Operated) -> None:
    accepted: list[float] = []
    complaints: list[str] = []
    sending = threading.Thread(target=simulate, args=(stack.url, accepted))
    contexts = [
        chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark"),
        chromium.new_context(viewport={"width": 1280, "height": 800}),
    ]
    pages: list[Page] = []
    stack.platea("simulate", SURVEY, "-n", str(FIRST), "--seed", "9")
    for context in contexts:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{stack.url}/live/{SURVEY}?lang=en")
        page.wait_for_selector("#responses")
        page.evaluate(SEEN)
        pages.append(page)
    sending.start()
    while sending.is_alive():
        pages[0].wait_for_timeout(100)
    assert len(accepted) == COUNT
    time.sleep(3)  # the last edition
    with urllib.request.urlopen(f"{stack.url}/api/v1/surveys/{SURVEY}/aggregates", timeout=20) as answer:
        published = json.load(answer)["responses"]
    assert (FIRST + COUNT) / (1 + 1.5 * OPEN.growth) - 1 < published <= FIRST + COUNT, "more than is waited for did not come"
    for page in pages:
        expect(page.locator("#figures")).to_have_attribute("data-responses", str(published))
        expect(page.locator("#responses")).to_have_text(f"{published} answers")
        expect(page.locator("#B01 .facts").first).to_contain_text("As of")
        seen = page.evaluate("window.seen")
        assert len(seen) > 1
        found = delays(accepted, seen)
        half, most = found[len(found) // 2], found[int(0.95 * (len(found) - 1))]
        width = page.viewport_size["width"] if page.viewport_size else 0
        drawn = sorted(each for _, _, each in seen)
        print(
            f"accepted to on screen at {RATE}/s, {width} px wide: half {half:.2f} s, 95 of 100 {most:.2f} s of {len(found)} answers; "
            f"of that arrived to on screen: half {drawn[len(drawn) // 2]:.2f} s, most {drawn[-1]:.2f} s; {len(seen)} editions"
        )
    assert not complaints
    for context in contexts:
        context.close()
