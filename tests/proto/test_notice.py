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
    partly = structs.replace(questionnaire(), data_protection=DataProtection(controller={"en": "We"}, contact={"en": "x"}))
    assert notice.missing(partly) == ["the legal basis", "how long answers are kept"]
