"""What releases promise is found in them by programs that others wrote: pycanon, anonymeter, the schema of DDI, frictionless, csvw."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import frictionless
import pytest
from csvw import CSVW

from proto.author import bundled
from services.export.dataset.profiles import PROFILES
from services.export.formats import ddi
from tests.export import judges, wp29
from tests.export.tables import PASSAGES, Made, encoded, made, released

pytestmark = pytest.mark.slow

PEOPLE = 100
SCHEMA = os.environ.get("PLATEA_DDI_XSD", "")


@cache
def release(survey: str, profile: str) -> Made:
    return made(survey, profile, PEOPLE)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("survey", ["ai-security", "social-cohesion"])
def test_another_judge_finds_the_k_l_and_t_that_the_manifest_tells(survey: str, profile: str, tmp_path: Path) -> None:
    judged = release(survey, profile)
    judged.write(tmp_path)
    policy = judges.judged(tmp_path, judged.instrument, judged.original.iloc[judged.protected.rows])
    assert policy["k"] == PROFILES[profile].k


def test_the_other_judge_finds_people_alone_in_the_answers_as_given(tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    instrument = release("social-cohesion", "public").instrument
    encoded(instrument, 0, PEOPLE).to_csv(tmp_path / "data.csv", index=False)
    identifiers = [question.var for question in instrument.questions if question.privacy.role == "quasi_identifier"]
    (found,) = judges.ask("anonymity", tables=[{"csv": str(tmp_path / "data.csv"), "identifiers": identifiers, "sensitive": {}}])
    assert found["k"] == 1


def test_another_tools_three_attacks_gain_much_on_a_naive_build_and_little_on_ours() -> None:
    _, found = wp29.play(100)
    naive, ours = found["naive"], found["ours"]
    linked, guessed, several, one = "linkability", f"inference, {wp29.SECRET}", "singling out, multivariate", "singling out, univariate"
    for attack in (linked, guessed, several):
        assert naive[attack].interval[0] > 0.5
        assert ours[attack].interval[1] < naive[attack].interval[0]
    assert ours[linked].risk <= 0.1
    assert ours[guessed].risk <= 0.15
    assert ours[one].risk <= 0.05, "answers that one person alone gave are withheld"
    assert naive[one].success > 2 * ours[one].success


def test_the_documentation_has_every_attack_of_the_other_tool() -> None:
    page = wp29.PAGE.read_text("utf-8")
    for attack in ("singling out, univariate", "singling out, multivariate", "linkability", f"inference, {wp29.SECRET}"):
        assert f"| {attack} |" in page, "run python -m tests.export.wp29"


@pytest.mark.skipif(not SCHEMA, reason="DDI's schema comes in no package; PLATEA_DDI_XSD names the folder of its codebook.xsd")
def test_every_codebook_is_valid_by_the_schema_of_ddi(tmp_path: Path) -> None:
    for survey in bundled():
        for profile in PROFILES:
            ddi.write(tmp_path / f"{survey}-{profile}.xml", release(survey, profile).table)
    ddi.write(tmp_path / "texts.xml", replace(released(), passages=PASSAGES))
    ddi.write(tmp_path / "wrong.xml", released())
    wrong = (tmp_path / "wrong.xml").read_text("utf-8")
    (tmp_path / "wrong.xml").write_text(wrong.replace("<TotlResp>", "<total>").replace("</TotlResp>", "</total>"), "utf-8")
    documents = sorted(map(str, tmp_path.iterdir()))
    found = dict(zip(documents, judges.ask("schema", schema=f"{SCHEMA}/codebook.xsd", documents=documents), strict=True))
    assert found.pop(str(tmp_path / "wrong.xml")), "otherwise the others would prove nothing"
    assert {name: errors for name, errors in found.items() if errors} == {}
    assert len(found) == len(bundled()) * len(PROFILES) + 1


@pytest.mark.parametrize("profile", PROFILES)
def test_frictionless_and_csvw_accept_whole_releases(profile: str, tmp_path: Path) -> None:
    release("social-cohesion", profile).write(tmp_path)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["title", "message"])
    described = CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True)
    assert described.is_valid, described.warnings
