"""A version of the notice names its texts: the same texts the same version, other texts another."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from proto import author, instrument, notice
from proto.instrument import DataProtection, Instrument


def survey() -> Instrument:
    found = author.load(author.bundled()["ai-security"])
    assert isinstance(found, Instrument)
    return found


def test_the_version_of_the_notice_survives_publishing() -> None:
    assert notice.version(instrument.decode(instrument.encode(survey()))) == notice.version(survey())


@pytest.mark.parametrize(
    "changed", [{"notice": {"en": "Yes"}}, {"data_protection": None}, {"data_protection": DataProtection({"en": "We"})}]
)
def test_other_texts_make_another_version(changed: Any) -> None:
    assert notice.version(structs.replace(survey(), **changed)) != notice.version(survey())


def test_the_shared_texts_belong_to_the_version_too() -> None:
    assert notice.version(survey(), ["No cookies."]) != notice.version(survey(), ["No cookies at all."])


def test_a_change_elsewhere_in_the_survey_leaves_the_notice_as_it_is() -> None:
    assert notice.version(structs.replace(survey(), version="9.9.9", title={"en": "Other"})) == notice.version(survey())


def test_what_the_notice_leaves_open_is_named() -> None:
    assert notice.missing(survey()) == []
    assert notice.missing(structs.replace(survey(), data_protection=None)) == list(notice._PARTS.values())  # pyright: ignore[reportPrivateUsage]
    partly = structs.replace(survey(), data_protection=DataProtection(controller={"en": "We"}, contact={"en": "x"}))
    assert notice.missing(partly) == ["the legal basis", "how long answers are kept"]
