"""docs/protection.md tells what releases of simulated responses lose; here they are made and counted again."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

import pytest

from services.export.dataset.profiles import PROFILES
from services.export.gate import before
from services.export.gate.advice import SPARE, request_of
from services.export.gate.ledger import LedgerKeys
from services.export.protect.measure import measure
from services.export.protect.sequence import SequenceRules, release
from tests.export.tables import Made, made

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "protection.md").read_text(encoding="utf-8").split())
first_release = cache(made)


def kept(found: Made) -> str:
    measures = found.protected.measures
    assert (measures.rows, measures.left_out) == (found.table.rows, 0), "all rows are kept"
    return f"{measures.classes:,} classes (NCP {measures.loss:.2f}"


def withheld(found: Made) -> str:
    return f"{found.protected.withheld:,} of {found.protected.table.size:,}"


def test_what_releases_of_few_responses_lose() -> None:
    cohesion, security = first_release("social-cohesion", "public", 400), first_release("ai-security", "public", 400)
    research = first_release("ai-security", "scientific", 400)
    assert f"in {kept(cohesion)}, {withheld(cohesion)} cells withheld, {cohesion.protected.merged} scales merged)" in PAGE
    assert f"in {kept(security)}; {research.protected.measures.loss:.2f} as `scientific`), {withheld(security)} cells withheld" in PAGE
    assert f"({research.protected.withheld})" in PAGE
    assert f"which has {sum(column.role == 'sensitive' for column in security.columns)} sensitive variables" in PAGE
    fewer = [withheld(first_release("social-cohesion", "public", count)) for count in (300, 100, 30)]
    assert "{} with 300, {} with 100, {} with 30".format(*fewer) in PAGE


@pytest.mark.slow
def test_what_a_release_of_many_responses_loses() -> None:
    assert f"in {kept(first_release('social-cohesion', 'public', 30_000))}, nothing withheld or merged)" in PAGE


@pytest.mark.slow
@pytest.mark.parametrize(("survey", "count"), [("social-cohesion", 400), ("social-cohesion", 30_000), ("ai-security", 400)])
def test_what_nesting_costs(survey: str, count: int) -> None:
    """`scientific` by itself, within public classes, and the public ones."""
    public, nested = (first_release(survey, profile, count) for profile in ("public", "scientific"))
    people = LedgerKeys(bytes(32), survey)
    ids = people.people([uuid.UUID(int=n).bytes for n in range(count)])
    admitted = before.admit(public.columns, public.original, PROFILES["scientific"], ids, people, 1, None)
    table = admitted.table
    rules = SequenceRules(request_of(table, PROFILES["scientific"]), spare=SPARE)
    alone = release(admitted.people, table.codes, table.hierarchies, table.sensitive, rules).result
    loss = measure(table.codes, table.hierarchies, table.sensitive, alone).loss
    within, wide = nested.protected.measures.loss, public.protected.measures.loss
    row = f"`{survey}`, {count:,}" + (" responses" if (survey, count) == ("social-cohesion", 400) else "")
    extra = f"{within / loss - 1:+.0%}".replace("%", " %").replace("-", "−")
    assert f"| {row} | {loss:.3f} | {within:.3f} ({extra}) | {wide:.3f} |" in PAGE
