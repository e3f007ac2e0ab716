"""The questionnaires that come with Platea, and the example in the documentation, are whole and can be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from proto import author, instrument
from proto.answers import Reader
from proto.codebook import CodeBook
from proto.instrument import Date, Instrument, Integer, Matrix, Numeric
from tests.builders.bundled import questionnaire

SURVEYS = ["ai-security", "security-by-design", "security-measurement", "social-cohesion"]
OTHERS = {
    "ai-security": ["A05", "A06", "A07", "B03", "B08", "D01"],
    "security-by-design": ["A10"],
    "security-measurement": ["A05"],
    "social-cohesion": ["A05", "M01"],
}
"""The questions with an option "other"."""
WHICH = {"en": "(please say which)", "fr": "(précisez)", "es": "(indique cuál)"}


def test_four_surveys_come_with_platea_under_the_name_of_their_file() -> None:
    assert sorted(author.bundled()) == SURVEYS
    assert [questionnaire(survey).id for survey in SURVEYS] == SURVEYS


@pytest.mark.parametrize("survey", SURVEYS)
def test_a_bundled_survey_travels_as_json_and_compiles(survey: str) -> None:
    found = questionnaire(survey)
    assert instrument.decode(instrument.encode(found)) == found
    book = CodeBook(Reader(found))
    assert {column.question for column in book.columns if column.kind == "stratum"} == set(found.strata)


def test_action_3_asks_46_questions_in_three_languages() -> None:
    found = questionnaire("ai-security")
    assert len(found.questions) == 46 + len(OTHERS["ai-security"]), "and what is meant by other"
    assert "A03" not in {question.id for question in found.questions}
    assert sum(question.required for question in found.questions) == 25
    assert found.languages == ("en", "fr", "es")
    assert found.question("A01").text["fr"] == "Dans quel pays se trouve votre collectivité\N{NO-BREAK SPACE}?"


def test_countries_have_french_and_spanish_names() -> None:
    country = questionnaire("ai-security").question("A01")
    assert isinstance(country, instrument.Single)
    names = {option.code: option.text for option in country.options}
    assert len(names) == 46
    assert names["DE"] == {"en": "Germany", "fr": "Allemagne", "es": "Alemania"}


@pytest.mark.parametrize("survey", SURVEYS)
def test_numbers_are_banded_and_scored_matrices_are_ordered(survey: str) -> None:
    for question in questionnaire(survey).questions:
        if isinstance(question, Integer | Numeric | Date):
            assert question.bands, question.id
        if isinstance(question, Matrix):
            assert question.ordered == ("1" in {option.code for option in question.options}), question.id


def test_the_example_in_the_documentation_is_an_instrument() -> None:
    page = Path(__file__).parents[2] / "docs" / "instrument.md"
    (example,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    found = author.read(example, "docs/instrument.md", lambda name: "")
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    CodeBook(Reader(found))


@pytest.mark.parametrize("survey", SURVEYS)
def test_whoever_answers_other_can_say_what_in_a_text_that_leaves_only_after_review(survey: str) -> None:
    found = questionnaire(survey)
    closed = [question for question in found.questions if isinstance(question, instrument.Single | instrument.Multiple)]
    assert [question.id for question in closed if "other" in {option.code for option in question.options}] == OTHERS[survey]
    texts = [question for question in found.questions if isinstance(question, instrument.ShortText) and question.specifies]
    assert [text.specifies for text in texts] == [instrument.OptionRef(id, "other") for id in OTHERS[survey]]
    assert {(text.privacy.role, text.required) for text in texts} == {("free_text", False)}
    for question in closed:
        for option in question.options:
            if option.code == "other":
                assert all(WHICH[language] in option.text[language] for language in found.languages), question.id


NUMBER = re.compile(r"\d+(?:[ .,\u00a0\u202f]\d{3}(?!\d))*")


def test_all_languages_tell_the_same_numbers_articles_and_dates() -> None:
    """A date of the AI Act that is moved in one language alone would ask another question there."""

    def numbers(text: str) -> list[str]:
        return sorted(re.sub(r"\D", "", number) for number in NUMBER.findall(text))

    told = [texts for texts in _texts(msgspec.to_builtins(questionnaire("ai-security"))) if numbers(texts["en"])]
    assert len(told) >= 30
    assert [texts for texts in told if len({tuple(numbers(text)) for text in texts.values()}) > 1] == []


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("D02", ("2024/1689", "2026/1744", "2027", "2030")),
        ("D03", ("2024/1689", "2026/1744", "2027")),
        ("D06", ("2024/1689", "2026/1744", "2030")),
    ],
)
def test_what_the_ai_act_asks_from_when_on_is_told_with_the_act_and_its_amendment(question: str, told: tuple[str, ...]) -> None:
    found = questionnaire("ai-security")
    help = found.question(question).help
    assert help
    for language in found.languages:
        assert [part for part in told if part not in help[language]] == [], language
    assert found.question("D02").help == found.question("D06").help


def _texts(value: object) -> Iterator[dict[str, str]]:
    """All texts of a questionnaire, each by language."""
    match value:
        case {"en": str(), "fr": str()}:
            yield value  # pyright: ignore[reportReturnType, reportUnknownVariableType]
        case dict():
            yield from (found for part in value.values() for found in _texts(part))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            yield from (found for part in value for found in _texts(part))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            pass


def test_generative_ai_and_the_authoritys_own_it_are_no_use_of_ai_for_security() -> None:
    found = questionnaire("ai-security")
    matrix = found.question("B02")
    assert isinstance(matrix, Matrix)
    reader, rows = Reader(found), [row.code for row in matrix.rows]
    for row in rows:
        answers = reader.stored(msgspec.json.encode({"B02": {code: "live" if code == row else "none" for code in rows}}))
        assert reader.visible(answers, "B03") == (row not in {"genai", "cyber"}), row
        assert reader.visible(answers, "B08") == (row in {"genai", "cyber"}), row


def test_whoever_does_not_know_is_not_asked_why_there_is_no_ai() -> None:
    found = questionnaire("ai-security")
    matrix = found.question("B02")
    assert isinstance(matrix, Matrix)
    reader = Reader(found)
    answers = reader.stored(msgspec.json.encode({"B02": {row.code: "dk" for row in matrix.rows}}))
    assert not reader.visible(answers, "B08")


@pytest.mark.parametrize("survey", SURVEYS)
def test_a_required_closed_question_has_a_way_out(survey: str) -> None:
    """All but the country, which points to nobody by itself and which comparisons need, and what everybody knows of themselves."""
    known = {"A01", "A05", "A09", "A10"}
    for question in questionnaire(survey).questions:
        if question.required and question.id not in known and isinstance(question, instrument.Single | instrument.Multiple | Matrix):
            assert {"dk", "pnts", "na"} & {option.code for option in question.options}, question.id
