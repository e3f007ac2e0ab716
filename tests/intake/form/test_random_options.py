"""Options in an order of each respondent's own: the same on every page, fair, with what must stand last at the end."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from proto.answers import Reader
from proto.codebook import CodeBook
from proto.fingerprint import fingerprint
from services.intake.form.flow import FormFlow, FormState
from services.intake.form.pages import compose, questions
from services.intake.form.pages.field_values import own_order
from services.intake.form.typed_values import NONE
from tests.builders.fruit import faults, fruit

TODAY = "2026-11-30"
MIXED = fruit(
    ('    required: true\n    text: {en: "Which', '    required: true\n    randomise_options: true\n    text: {en: "Which'),
    ("    scale: where\n", "    scale: where\n    randomise_options: true\n"),
    ("    rank_count: 2\n", "    rank_count: 2\n    randomise_options: true\n"),
)
FORM = FormFlow(Reader(MIXED))


def page(receipt: str, **fields: list[str]) -> str:
    view = FORM.begin(FormState("0.1.0"), TODAY)
    if fields:
        view = FORM.turn(view.sheet, "A", "next", {f"q.{id}": values for id, values in fields.items()}, ".,", TODAY)
    return questions.section(compose.survey_in(MIXED, "en"), FORM, view, receipt).decode()


def shown(markup: str, id: str) -> list[str]:
    return re.findall(rf'<input type="(?:radio|checkbox)" id="[^"]*" name="q.{id}" value="([^"]+)"', markup)


def test_each_respondent_has_one_order_and_all_orders_come_up() -> None:
    question = FORM.reader.questions["A01"]
    orders = Counter(own_order(question, f"receipt-{number}", {"other"}) for number in range(400))
    assert set(orders) == {("apple", "pear", "other", "dk"), ("pear", "apple", "other", "dk")}
    assert min(orders.values()) > 150, "as often as not"
    for number in range(8):
        order = list(own_order(question, f"receipt-{number}", {"other"}))
        assert shown(page(f"receipt-{number}"), "A01") == order


def test_every_option_is_there_once_with_its_text_and_its_mark() -> None:
    for number in range(8):
        markup = page(f"receipt-{number}", A01=["other"], A02=["shop"])
        assert sorted(shown(markup, "A01")) == ["apple", "dk", "other", "pear"]
        assert re.search(r'name="q.A01" value="other" checked', markup)
        assert markup.index('value="other"') < markup.index('id="A01_other-0"') < markup.index('name="q.A01" value="dk"')
        assert shown(markup, "A02") == ["shop", "else"], "what opens a text stands last"


def test_none_of_these_stands_behind_the_options_in_random_order() -> None:
    mixed = ("    scale: where\n", "    scale: where\n    randomise_options: true\n    min_choices: 0\n")
    form = FormFlow(Reader(fruit(mixed)))
    view = form.begin(FormState("0.1.0"), TODAY)
    markup = questions.section(compose.survey_in(form.instrument, "en"), form, view, "receipt").decode()
    assert shown(markup, "A02") == ["shop", "else", NONE]


def test_the_ranks_of_a_page_offer_the_same_order() -> None:
    seen: set[tuple[str, ...]] = set()
    for number in range(12):
        selects = re.findall(r'<select id="A03-[01]".*?</select>', page(f"receipt-{number}"), re.DOTALL)
        orders = {tuple(re.findall(r'<option value="(\w+)"', select)) for select in selects}
        assert (len(selects), len(orders)) == (2, 1)
        seen |= orders
    assert seen == {("juice", "water"), ("water", "juice")}


def test_advice_leads_to_the_option_that_is_shown_first() -> None:
    for number in range(6):
        markup = page(f"receipt-{number}", A02=["shop"])
        first = re.search(r'<input type="radio" id="([^"]*)" name="q.A01"', markup)
        assert first
        assert f'<a href="#{first[1]}">' in markup


def test_data_and_figures_keep_the_order_of_the_questionnaire() -> None:
    plain = fruit()
    assert [option.code for option in MIXED.question("A01").options] == ["apple", "pear", "other", "dk"]  # type: ignore[union-attr]
    assert fingerprint(MIXED) == fingerprint(plain)
    assert CodeBook(Reader(MIXED)).columns == CodeBook(Reader(plain)).columns


def test_a_scale_has_one_order() -> None:
    found = faults("    required: true\n", "    required: true\n    ordered: true\n    randomise_options: true\n")
    assert any("the options of A01 are a scale, which has one order" in fault for fault in found)


@pytest.mark.parametrize("id", ["A01", "A02", "A03"])
def test_without_a_receipt_the_order_is_as_written(id: str) -> None:
    assert own_order(FORM.reader.questions[id], "") == ()
