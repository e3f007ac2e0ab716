"""`platea survey check` says where a sound questionnaire protects little, and what no release will hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli.surveys import group
from tests.builders import fruit
from tests.export.tables import EVERY_KIND


def checked(text: str, folder: Path) -> str:
    file = folder / "survey.yaml"
    file.write_text(text, "utf-8")
    found = CliRunner().invoke(group, ["check", str(file)])
    assert found.exit_code == 0, found.output
    return " ".join(found.output.split())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            "minimum: 1, batch: 1, i_understand_that_this_protects_nobody: true",
            "minimum 1 instead of 10, batch 1 instead of 10 and figures that move",
        ),
        ("minimum: 20", ""),
        ("batch: 5", "batch 5 instead of 10."),
    ],
)
def test_a_policy_that_protects_less_than_usual_is_pointed_out(policy: str, said: str, tmp_path: Path) -> None:
    told = checked(f"{EVERY_KIND}policy: {{name: cell-key, {policy}}}\n", tmp_path)
    assert ("protects less than usual" in told) == bool(said)
    assert said in told


@pytest.mark.parametrize("policy", ["minimum: 1", "batch: 4", "minimum: 4, batch: 4"])
def test_a_policy_that_protects_nobody_is_refused_unless_its_author_says_so(policy: str, tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_text(f"{EVERY_KIND}policy: {{name: cell-key, {policy}}}\n", "utf-8")
    found = CliRunner().invoke(group, ["check", str(file)])
    assert found.exit_code != 0
    assert "protects nobody" in found.output
    assert "i_understand_that_this_protects_nobody" in found.output


@pytest.mark.parametrize(
    ("accessibility", "said"),
    [
        ("", "does not say whom to tell what does not work and which body to turn to if the answer does not satisfy."),
        (
            "accessibility: {contact: {en: a@b.example, fr: a@b.example}}",
            "does not say which body to turn to if the answer does not satisfy.",
        ),
        ("accessibility: {contact: {en: a@b.example, fr: a@b.example}, enforcement: {en: Ombudsman, fr: Défenseur}}", ""),
    ],
)
def test_what_the_accessibility_statement_leaves_open_is_pointed_out(accessibility: str, said: str, tmp_path: Path) -> None:
    told = checked(f"{EVERY_KIND}{accessibility}\n", tmp_path)
    assert ("accessibility statement" in told) == bool(said)
    assert said in told


ONE_QUESTION = """
format: platea-instrument/1
id: one
version: "0.1.0"
source_language: en
languages: [en]
title: {en: "One question"}
notice: {en: "I agree."}
sections: [{id: S, text: {en: "Section"}}]
questions:
  - id: A
    var: a
    section: S
    type: single
    text: {en: "Yes or no?"}
    options: [{code: y, en: "Yes"}, {code: n, en: "No"}]
    privacy: {role: insensitive}
    stats: [count, share]
"""
PROMISED = "policy: {name: differential-privacy, epsilon: 4, delta: 1e-6}\n"


def test_of_a_guarantee_it_is_told_beforehand_how_far_off_figures_will_be(tmp_path: Path) -> None:
    told = checked(ONE_QUESTION + PROMISED, tmp_path)
    assert "epsilon 4 and delta 1e-06" in told
    assert "1 histogram at 8 editions" in told
    for line in ("100 3.6 3.6 points 5.0 points", "300 3.6 1.2 points 2.9 points", "1,000 3.6 0.4 points", "10,000 3.6 0.0 points"):
        assert line in told
    assert "outweighs" not in told
    assert "histograms" not in checked(ONE_QUESTION, tmp_path)


def test_a_guarantee_whose_noise_outweighs_the_sampling_error_is_warned_of(tmp_path: Path) -> None:
    assert "with 300 respondents noise outweighs the sampling error" in checked(EVERY_KIND + PROMISED, tmp_path)
    assert "outweighs" in checked(ONE_QUESTION + PROMISED.replace("4", "0.5"), tmp_path)


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ("name: differential-privacy", ["epsilon is missing", "delta is missing"]),
        ("name: differential-privacy, epsilon: 0, delta: 1e-6", ["epsilon 0 leaves nothing but noise"]),
        ("name: differential-privacy, epsilon: 20, delta: 1.0e-2", ["epsilon 20 promises next to nothing", "delta 0.01 is out of bounds"]),
        ('name: differential-privacy, epsilon: 4, delta: "1e-6"', ["is not a number"]),
        ("name: cell-key, epsilon: 4", ["epsilon belongs to a policy with a guarantee"]),
    ],
)
def test_a_guarantee_that_promises_nothing_is_refused_in_plain_words(policy: str, wrong: list[str], tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_text(f"{ONE_QUESTION}policy: {{{policy}}}\n", "utf-8")
    found = CliRunner().invoke(group, ["check", str(file)])
    assert found.exit_code != 0
    for told in wrong:
        assert told in found.output


def test_a_number_that_no_release_will_hold_is_named(tmp_path: Path) -> None:
    bands = '    bands: ["1990-2009", "2010+"]\n'
    assert "will be in no release" not in checked(EVERY_KIND, tmp_path)
    assert "since will be in no release" in checked(EVERY_KIND.replace(bands, ""), tmp_path)


def test_odd_questions_are_pointed_out_and_the_file_is_sound_all_the_same(tmp_path: Path) -> None:
    told = checked(ONE_QUESTION.replace('en: "No"', 'en: "yes "'), tmp_path)
    assert "Advice: the options y and n of A have the same label in en" in told
    assert "same label" not in checked(ONE_QUESTION, tmp_path)


@pytest.mark.parametrize(("role", "advised"), [("free_text", True), ("identifying", False)])
def test_a_mail_address_that_would_be_released_is_pointed_out(role: str, advised: bool, tmp_path: Path) -> None:
    text = fruit.TEXT.replace("pattern: postal_code", "pattern: email").replace("role: identifying", f"role: {role}")
    assert ("can be recognised by the answer to B02" in checked(text, tmp_path)) == advised
