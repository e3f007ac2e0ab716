"""What the documentation names exists: commands, targets, pages, tests, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import platea

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text()


def commands() -> Iterator[str]:
    """`platea survey check FILE` · `publish FILE` names two commands of one group."""
    for row in re.findall(r"^\| (`platea .*?) \|", README, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        words = [word for word in first.split()[1:] if re.fullmatch(r"[a-z]+", word)]
        yield " ".join(words)
        yield from (f"{words[0]} {other.split()[0]}" for other in others)


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_in_the_readme_explains_itself(command: str) -> None:
    ran = CliRunner().invoke(platea, [*command.split(), "--help"], prog_name="platea")
    assert ran.exit_code == 0, ran.output
    assert f"Usage: platea {command}" in " ".join(ran.output.split())


def test_the_readme_names_commands() -> None:
    assert len(list(commands())) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:#|`|$|PORT|ARGS))", page.read_text(), re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_test_that_a_promise_points_at_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/promises.md").read_text())
    assert len(named) >= 5
    for file, test in named:
        assert re.search(rf"def {test}\b", (ROOT / file).read_text()), f"{file}::{test}"


def test_the_licence_is_named_everywhere_by_its_identifier() -> None:
    assert 'license = "EUPL-1.2"' in (ROOT / "pyproject.toml").read_text()
    assert "SPDX-License-Identifier: EUPL-1.2" in README
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert [int(n) for n in re.findall(r"^(\d+)\.", licence, re.MULTILINE)] == list(range(1, 16))


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda lock: lock.name)
def test_pins_carry_hashes_and_no_addresses(lock: Path) -> None:
    pinned = re.sub(r"\\\n", " ", lock.read_text())
    assert "://" not in pinned
    for line in filter(None, (line.strip() for line in pinned.splitlines())):
        assert "==" in line, line
        assert "--hash=sha256:" in line, line
