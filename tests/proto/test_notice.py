"""A version of the notice names its texts: the same texts the same version, other texts another."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from proto import instrument, notice
from proto.instrument import DataProtection
from tests.builders.bundled import questionnaire


def test_the_version_of_the_notice_survives_publishing() -> None:
    assert notice.version(instrument.decode(instrument.encode(questionnaire()))) == notice.version(questionnaire())


@pytest.mark.parametrize(
    "changed", [{"notice": {"en": "Yes"}}, {"data_protection": None}, {"data_protection": DataProtection({"en": "We"})}]
)
def test_other_texts_make_another_version(changed: Any) -> None:
    assert notice.version(structs.replace(questionnaire(), **changed)) != notice.version(questionnaire())


def test_the_shared_texts_belong_to_the_version_too() -> None:
    assert notice.version(questionnaire(), ["No cookies."]) != notice.version(questionnaire(), ["No cookies at all."])


def test_a_change_elsewhere_in_the_survey_leaves_the_notice_as_it_is() -> None:
    assert notice.version(structs.replace(questionnaire(), version="9.9.9", title={"en": "Other"})) == notice.version(questionnaire())


def test_what_the_notice_leaves_open_is_named() -> None:
    assert notice.missing(questionnaire()) == []
    assert notice.missing(structs.replace(questionnaire(), data_protection=None)) == list(notice._PARTS.values())  # pyright: ignore[reportPrivateUsage]
    stated = questionnaire().data_protection
    assert stated is not None
    for name, what in notice._PARTS.items():  # pyright: ignore[reportPrivateUsage]
        assert notice.missing(structs.replace(questionnaire(), data_protection=structs.replace(stated, **{name: {}}))) == [what]


def test_a_notice_published_before_keeps_its_version() -> None:
    """New fields that say nothing change no version, so that responses stay with the texts that were agreed to."""
    before = DataProtection({"en": "We"}, {"en": "Article 6"}, {"en": "A year"}, {"en": "us@example.org"})
    assert notice.version(structs.replace(questionnaire(), notice={"en": "I agree"}, data_protection=before)) == "69cd19271e63"


@pytest.mark.parametrize(
    ("basis", "text", "found"),
    [
        ("public_task", {"en": "I agree to take part.", "fr": "Je participe."}, ["en"]),
        ("public_task", {"en": "I take part.", "fr": "J’accepte de participer."}, ["fr"]),
        ("public_task", {"en": "I have read the notice and take part."}, []),
        ("public_task", {"es": "Participo de acuerdo con el Reglamento.", "pl": "Zgodnie z ustawą.", "bg": "Съгласно закона."}, []),
        ("public_task", {"de": "Ich bin einverstanden.", "pt-BR": "Concordo em participar.", "tr": "Kabul ediyorum."}, ["de", "pt-BR"]),
        ("consent", {"en": "I agree to take part."}, []),
        ("", {"en": "I agree to take part."}, []),
    ],
)
def test_a_public_task_asks_nobody_to_agree(basis: Any, text: dict[str, str], found: list[str]) -> None:
    assert notice.contradicts(structs.replace(questionnaire(), notice=text, data_protection=DataProtection(legal_basis=basis))) == found


@pytest.mark.parametrize("survey", ["ai-security", "security-by-design", "security-measurement", "social-cohesion"])
def test_the_notices_that_come_with_platea_are_whole_and_agree_with_their_basis(survey: str) -> None:
    assert notice.missing(questionnaire(survey)) == []
    assert notice.contradicts(questionnaire(survey)) == []
