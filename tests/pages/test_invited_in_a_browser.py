"""An invited respondent in a real browser: the code is exchanged for a ticket that the browser makes, and one response comes of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from playwright.sync_api import Browser, Page, Request, Route, expect

from proto import blind, invitation
from tests.faults.operated import Operated
from tests.pages import square
from tests.pages.square import Respondent, Server

SURVEY = "square-invited"
VECTORS = Path(__file__).parents[1] / "proto" / "vectors" / "rfc9474.json"


@pytest.fixture(scope="module")
def server(stack: Operated) -> Server:
    server = Server(stack)
    server.publish(structs.replace(square.square(SURVEY), participation="invited"))
    return server


@pytest.fixture(scope="module")
def rows(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    file = tmp_path_factory.mktemp("codes") / "codes.csv"
    server.stack.platea("invite", SURVEY, "--count", "10", "--out", str(file))
    return iter(list(csv.DictReader(file.open(encoding="utf-8", newline=""))))


@pytest.fixture
def guest(chromium: Browser, server: Server) -> Iterator[Respondent]:
    context = chromium.new_context(viewport={"width": 320, "height": 700})
    yield Respondent(context, f"{server.url}/s/{SURVEY}?lang=en")
    context.close()


def use(person: Respondent, code: str) -> None:
    person.page.locator("#code").fill(code)
    person.press("next")


def answer(person: Respondent) -> str:
    person.agree()
    person.choose("Visit", "no")
    person.press("next")
    person.finish_second()
    person.send()
    return person.sent()


def test_the_browser_comes_to_the_published_numbers(guest: Respondent) -> None:
    """RFC 9474, appendix A.3, to the last bit; then a token of its own, blinded there, signed here."""
    guest.visit()
    numbers: dict[str, str] = json.loads(VECTORS.read_text())
    made = guest.page.evaluate(_VECTORS, numbers)
    assert made["blinded"] == numbers["blinded_msg"]
    assert made["signature"] == numbers["sig"]
    assert not made["accepted"], "a signature of something else"
    key = blind.SecretKey(int(numbers["p"], 16), int(numbers["q"], 16), 65537)
    message = b"thirty-two bytes of a new ticket"
    guest.page.evaluate(_BLIND, {"n": numbers["n"], "message": message.decode()})
    blinded = bytes.fromhex(guest.page.evaluate("made.hex"))
    signature = bytes.fromhex(guest.page.evaluate(_FINALIZE, blind.sign(key, blinded).hex()))
    assert blind.verify(key.public, message, signature)
    print(f"\nblinding {guest.page.evaluate('made.ms'):.0f} ms, finalizing {guest.page.evaluate('made.last'):.0f} ms at 4096 bits")


_HEX = """const toHex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));"""
_VECTORS = f"""async (v) => {{
  const {{ blind, finalize, keyOf, encoded }} = await import("/static/blind.js");
  {_HEX}
  const key = keyOf({{ n: encoded(fromHex(v.n)), e: "AQAB" }});
  const inverse = BigInt("0x" + v.inv);
  const request = await blind(key, fromHex(v.msg), fromHex(v.salt), inverse);
  const signature = await finalize(key, fromHex(v.msg), fromHex(v.blind_sig), inverse);
  const accepted = await finalize(key, fromHex(v.msg), fromHex(v.sig), inverse).then(() => true, () => false);
  return {{ blinded: toHex(request.blinded), signature: toHex(signature), accepted }};
}}"""
_BLIND = f"""async (v) => {{
  const {{ blind, keyOf, encoded }} = await import("/static/blind.js");
  {_HEX}
  const key = keyOf({{ n: encoded(fromHex(v.n)), e: "AQAB" }});
  const message = new TextEncoder().encode(v.message);
  const begun = performance.now();
  const request = await blind(key, message);
  globalThis.made = {{ key, message, request, hex: toHex(request.blinded), ms: performance.now() - begun }};
}}"""
_FINALIZE = f"""async (signed) => {{
  const {{ finalize }} = await import("/static/blind.js");
  {_HEX}
  const begun = performance.now();
  const signature = await finalize(made.key, made.message, fromHex(signed), made.request.inverse);
  made.last = performance.now() - begun;
  return toHex(signature);
}}"""


def test_a_link_leads_to_one_response_and_no_request_holds_both_code_and_ticket(guest: Respondent, rows: Iterator[dict[str, str]]) -> None:
    row = next(rows)
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.url} {request.post_data or ''}")

    guest.page.on("request", note)
    guest.page.goto(row["link"])
    expect(guest.page.locator("#code")).to_have_value(row["code"])
    assert "#" not in guest.page.url
    expect(guest.page.locator("#apart-blind")).to_be_visible()
    expect(guest.page.locator("#apart-plain")).to_be_hidden()
    guest.press("next")
    expect(guest.page.locator("#consent")).not_to_be_checked()
    ticket = json.loads(guest.page.locator("input[name=sheet]").input_value())["ticket"]
    token = ticket.partition(".")[0]
    receipt = answer(guest)
    assert receipt == invitation.receipt(invitation.decoded(token))
    guest.holds_nothing()
    with_code = [text for text in sent if row["code"].replace("-", "") in text.replace("-", "")]
    assert len(with_code) == 1
    assert f"/api/v1/surveys/{SURVEY}/tickets " in with_code[0]
    assert not any(token in text for text in with_code)
    use_again(guest, row["code"])
    expect(guest.page.locator("#invitation-told")).to_contain_text("used already")


def use_again(person: Respondent, code: str) -> None:
    person.visit()
    use(person, code)


def test_an_exchange_whose_answer_got_lost_is_repeated_with_the_same_number(guest: Respondent, rows: Iterator[dict[str, str]]) -> None:
    row = next(rows)
    lost: list[Any] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.post_data_json)
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    guest.page.route("**/tickets", lose)
    guest.visit()
    use(guest, row["code"])
    expect(guest.page.locator("#invitation-summary")).to_be_visible()
    guest.visit()  # the page may even have been closed
    use(guest, row["code"].lower())
    expect(guest.page.locator("#consent")).to_be_visible()
    guest.visit()  # and the start page too
    use(guest, row["code"])
    expect(guest.page.locator("#consent")).to_be_visible()
    assert len(lost) == 1


def test_a_key_that_the_organiser_did_not_name_is_not_used(guest: Respondent, rows: Iterator[dict[str, str]]) -> None:
    """Whoever gave each invited person a key of their own would know them again by it."""
    link = next(rows)["link"]
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.method + request.url) if "/tickets" in request.url else None)
    guest.page.goto(link[:-1] + ("0" if link[-1] != "0" else "1"))
    guest.press("next")
    expect(guest.page.locator("#invitation-told")).to_contain_text("do not match")
    assert not any(text.startswith("POST") for text in asked)


def test_what_goes_wrong_is_said_in_place(guest: Respondent) -> None:
    guest.visit()
    for typed, told in (("", "Enter your invitation code"), ("ABCD-EFGH", "typing mistake"), (invitation.make_code(), "does not belong")):
        use(guest, typed)
        expect(guest.page.locator("#code-error")).to_contain_text(told)
        expect(guest.page.locator("#invitation-summary")).to_be_focused()


def test_without_scripts_the_page_says_what_the_separation_rests_on(
    chromium: Browser, server: Server, rows: Iterator[dict[str, str]]
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    person = Respondent(context, f"{server.url}/s/{SURVEY}?lang=en")
    person.visit()
    expect(person.page.locator("#apart-plain")).to_be_visible()
    expect(person.page.locator("#apart-blind")).to_be_hidden()
    use(person, next(rows)["code"])
    assert answer(person)
    context.close()


@pytest.mark.parametrize(("width", "height"), [(320, 700), (1280, 900)])
def test_the_page_with_the_code_fits(chromium: Browser, server: Server, width: int, height: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height})
    page: Page = context.new_page()
    page.goto(f"{server.url}/s/{SURVEY}?lang=en")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
