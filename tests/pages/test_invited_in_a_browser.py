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

from proto import blind, codes, invitation
from tests.builders.square import square
from tests.faults.operated import Operated
from tests.pages.square import Respondent, Server

SURVEY = "square-invited"
NEW, FORMER = "7ZQ4-0NB8-KXTR-52MD", "H0G3-W9CY-PA6E"
"""Letters of codes; their check characters are added."""
WAYS = (str, str.lower, codes.bare, "Your code is {}, thank you".format, "«{}»".format, "x{}".format, "{}9".format, "{0} {0}".format)
WHOLE = [codes.grouped(codes.bare(letters) + codes.check(codes.bare(letters))) for letters in (NEW + "1V", FORMER + "1V")]
CODES = [
    *(way(code) for code in WHOLE for way in WAYS),
    "Code 6K3Y-BGD8-2S0K-0RN6-GA7J",
    "",
    "O0O0-IlIl",
    codes.grouped("7" * 20),
    "word " * 60,
]
VECTORS = Path(__file__).parents[1] / "proto" / "vectors" / "rfc9474.json"


@pytest.fixture(scope="module")
def server(stack: Operated) -> Server:
    server = Server(stack)
    server.publish(structs.replace(square(SURVEY), participation="invited"))
    return server


@pytest.fixture(scope="module")
def rows(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    file = tmp_path_factory.mktemp("codes") / "codes.csv"
    server.stack.platea("invite", SURVEY, "--count", "10", "--out", str(file))
    return iter(list(csv.DictReader(file.read_text("utf-8").splitlines())))


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
    """RFC 9474, appendix A.3, to the last bit; then what comes of a code, blinded there and here, signed here."""
    guest.visit()
    numbers: dict[str, str] = json.loads(VECTORS.read_text())
    made = guest.page.evaluate(_VECTORS, numbers)
    assert made["blinded"] == numbers["blinded_msg"]
    assert made["signature"] == numbers["sig"]
    assert not made["accepted"], "a signature of something else"
    key = blind.SecretKey(int(numbers["p"], 16), int(numbers["q"], 16), 65537)
    code = codes.bare(invitation.make_code())
    guest.page.evaluate(_BLIND, {"n": numbers["n"], "survey": SURVEY, "code": code})
    expected = invitation.ticket_request(SURVEY, code, key.public)
    assert bytes.fromhex(guest.page.evaluate("made.hex")) == expected.blinded
    signed = blind.sign(key, expected.blinded)
    signature = bytes.fromhex(guest.page.evaluate(_FINALIZE, signed.hex()))
    assert signature == expected.ticket(key.public, signed).signature
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
  const {{ blind, derived, keyOf, encoded }} = await import("/static/blind.js");
  {_HEX}
  const key = keyOf({{ n: encoded(fromHex(v.n)), e: "AQAB" }});
  const begun = performance.now();
  const {{ token, salt, inverse }} = await derived(v.survey, v.code, key);
  const request = await blind(key, token, salt, inverse);
  globalThis.made = {{ key, token, request, hex: toHex(request.blinded), ms: performance.now() - begun }};
}}"""
_FINALIZE = f"""async (signed) => {{
  const {{ finalize }} = await import("/static/blind.js");
  {_HEX}
  const begun = performance.now();
  const signature = await finalize(made.key, made.token, fromHex(signed), made.request.inverse);
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
    assert receipt != invitation.former_receipt(invitation.decoded(token))
    guest.holds_nothing()
    assert not [text for text in sent if row["code"].replace("-", "") in text.replace("-", "")], "the code does not leave the device"
    named = [text for text in sent if invitation.name(SURVEY, codes.bare(row["code"])).hex() in text]
    assert len(named) == 1
    assert f"/api/v1/surveys/{SURVEY}/tickets " in named[0]
    assert not any(token in text for text in named)
    use_again(guest, row["code"])
    expect(guest.page.locator("#invitation-told")).to_contain_text("already sent with this invitation")


def use_again(person: Respondent, code: str) -> None:
    person.visit()
    use(person, code)


def test_looking_at_the_form_spends_nothing_and_any_device_may_send(
    guest: Respondent, chromium: Browser, server: Server, rows: Iterator[dict[str, str]]
) -> None:
    link = next(rows)["link"]
    desk = Respondent(chromium.new_context(), f"{server.url}/s/{SURVEY}?lang=en")
    tickets: list[str] = []
    for person in (guest, desk):
        person.page.goto(link)
        person.press("next")
        expect(person.page.locator("#consent")).to_be_visible()
        tickets.append(json.loads(person.page.locator("input[name=sheet]").input_value())["ticket"])
    assert tickets[0] == tickets[1]
    guest.context.clear_cookies()
    guest.page.evaluate("localStorage.clear(); sessionStorage.clear()")
    assert answer(desk)
    guest.page.goto(link)
    guest.press("next")
    expect(guest.page.locator("#invitation-told")).to_contain_text("already sent with this invitation")
    desk.context.close()


def test_an_exchange_whose_answer_got_lost_is_repeated(guest: Respondent, rows: Iterator[dict[str, str]]) -> None:
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
    use(guest, f"Code: {row['code'].lower()}")
    expect(guest.page.locator("#consent")).to_be_visible()
    assert len(lost) == 1


def test_a_code_of_the_former_release_is_exchanged_by_the_server_and_the_page_says_so_before(
    guest: Respondent, server: Server, rows: Iterator[dict[str, str]]
) -> None:
    next(rows)  # the survey has its key
    code = codes.grouped(codes.make(invitation.FORMER))
    sent: list[str] = []
    guest.page.on("request", lambda request: sent.append(request.url) if "/tickets" in request.url else None)
    guest.visit()
    guest.page.locator("#code").fill(code)
    expect(guest.page.locator("#apart-plain")).to_be_visible()
    expect(guest.page.locator("#apart-blind")).to_be_hidden()
    guest.press("next")
    expect(guest.page.locator("#code-error")).to_contain_text("does not belong")
    assert not sent
    guest.page.locator("#code").fill(invitation.make_code())
    expect(guest.page.locator("#apart-blind")).to_be_visible()


def test_a_ticket_that_the_former_release_left_on_the_device_is_used(guest: Respondent) -> None:
    code = codes.make(invitation.FORMER)
    guest.visit()
    guest.page.evaluate(_LEAVE, {"survey": SURVEY, "code": code})
    with guest.page.expect_request(lambda request: request.method == "POST") as sent:
        use(guest, code)
    assert "ticket=left.here" in (sent.value.post_data or "")
    assert code not in (sent.value.post_data or "")


_LEAVE = """async ({ survey, code }) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  const name = btoa(String.fromCharCode(...digest)).replace(/\\+/g, "-").replace(/\\//g, "_").slice(0, 22);
  localStorage.setItem(`platea.invitation.1:${survey}:${name}`, JSON.stringify({ ticket: "left.here" }));
}"""


def test_a_key_that_the_organiser_did_not_name_is_not_used(guest: Respondent, rows: Iterator[dict[str, str]]) -> None:
    """Whoever gave each invited person a key of their own would know them again by it."""
    link = next(rows)["link"]
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.method + request.url) if "/tickets" in request.url else None)
    guest.page.goto(link[:-1] + ("0" if link[-1] != "0" else "1"))
    guest.press("next")
    expect(guest.page.locator("#invitation-told")).to_contain_text("Do not go on")
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


@pytest.mark.parametrize("typed", CODES)
def test_a_browser_reads_a_code_as_the_server_does(guest: Respondent, typed: str) -> None:
    guest.visit()
    found = guest.page.evaluate("async (typed) => (await import('/static/codes.js')).read(typed, [20, 16])", typed)
    assert found == (invitation.read_code(typed) or "")


@pytest.mark.parametrize(("width", "height"), [(320, 700), (1280, 900)])
def test_the_page_with_the_code_fits(chromium: Browser, server: Server, width: int, height: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": height})
    page: Page = context.new_page()
    page.goto(f"{server.url}/s/{SURVEY}?lang=en")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
