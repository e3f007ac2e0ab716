"""The report of a release: its figures equal counts by hand, it tells nothing of who was left out, and everybody can read it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from proto.codebook import CodeBook
from proto.instrument import Headline
from proto.intervals import of_share
from services.export.bundle.signing import Signer
from services.export.bundle.verify import check
from services.export.dataset.table import Dataset, ReleaseInfo, tabulate
from services.export.dataset.variables import Encoder, variables
from services.export.protect.request import Frame
from services.export.release import write
from services.export.report import groups, inference, linkage, risk, tables, utility
from services.export.report.compared import ComparedVariable, Value, compare
from services.export.report.headlines import shares
from services.export.report.of_release import files as files_of
from services.export.report.of_release import report_on
from services.export.report.page import page, percent
from services.export.report.report import Facts, ReleaseReport, Share, encode, report
from tests.export.tables import answers, every_kind

REGION = (Value("a", (0,)), Value("b", (1,)), Value("c", (2,)), Value("ab", (0, 1), "side"), Value("*", (0, 1, 2), "not shown"))
"""Released values of a variable with three answers."""

rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=4, max_size=40)


def coarse(codes: np.ndarray, seed: int) -> np.ndarray:
    """Each answer itself, or one of the nodes above it, by chance."""
    way = np.random.default_rng(seed).integers(0, 3, len(codes))
    return np.where(way == 0, codes, np.where((way == 1) & (codes < 2), 3, 4))


def fields_of(table: list[tuple[int, ...]], gone: int = 0) -> list[ComparedVariable]:
    """Two quasi-identifiers, an exact answer and a scale. The first `gone` rows are left out, the others turned round."""
    whole = np.array(table)
    left = whole[gone:][::-1]
    region = ("a", "b", "c")
    scale = tuple(Value(code, (place,)) for place, code in enumerate(("1", "2", "3", "4")))
    return [
        ComparedVariable(
            "region", {"en": "Region"}, "quasi_identifier", False, region, REGION, whole[:, 0], coarse(left[:, 0], 1), ("side",)
        ),
        ComparedVariable("side", {"en": "Side"}, "quasi_identifier", False, region, REGION, whole[:, 1], coarse(left[:, 1], 2), ("side",)),
        ComparedVariable("answer", {"en": "Answer"}, "sensitive", False, region, REGION[:3], whole[:, 2], left[:, 2]),
        ComparedVariable("scale", {"en": "Scale"}, "sensitive", True, ("1", "2", "3", "4"), scale, whole[:, 3], left[:, 3]),
    ]


FACTS = Facts(1, "s", "0.1.0", {"en": "S"}, "en", "public", 3, (Share({"en": "A"}, "answer", ("a",)), Share({"en": "R"}, "region", ("b",))))


@settings(max_examples=25)
@given(rows, st.integers(0, 3))
def test_risks_equal_counts_by_hand(table: list[tuple[int, ...]], gone: int) -> None:
    fields = fields_of(table, gone)
    keys = list(zip(fields[0].after.tolist(), fields[1].after.tolist(), strict=True))
    many = Counter(keys)
    of_row, counts = groups.after(fields[:2])
    assert counts[of_row].tolist() == [many[key] for key in keys]
    found = risk.of(counts[of_row], 3)
    assert found.smallest == min(many.values())
    assert found.average == pytest.approx(len(many) / len(keys))
    assert found.at_risk == pytest.approx(sum(n for n in many.values() if n < 3) / len(keys))


@settings(max_examples=25)
@given(rows)
def test_units_of_a_public_list_are_those_that_a_row_may_be(table: list[tuple[int, ...]]) -> None:
    fields = fields_of(table)
    units = [(0, 0, 3), (1, 2, 4), (2, -1, 5), (0, 1, 1)]
    frame = Frame((0, 1), np.array([unit[:2] for unit in units]), np.array([unit[2] for unit in units]), 1)
    found = risk.listed(fields, frame, released=True)
    for row in range(len(table)):
        one, other = (fields[v].released[fields[v].after[row]].members for v in (0, 1))
        by_hand = sum(n for a, b, n in units if a in one and (b in other or (b == -1 and len(other) == 3)))
        assert found[row] == by_hand


@settings(max_examples=25)
@given(rows, st.integers(0, 3))
def test_table_errors_equal_counts_cell_by_cell(table: list[tuple[int, ...]], gone: int) -> None:
    fields = fields_of(table, gone)
    found = tables.errors(fields)
    kept = len(table) - gone
    for (one, other), variation, cells in zip(found.pairs, found.variation, found.cells, strict=True):
        apart: defaultdict[tuple[int, int], float] = defaultdict(float)
        first, second = fields[one], fields[other]
        occurring = [set(field.before.tolist()) for field in (first, second)]
        for a, b in zip(first.before.tolist(), second.before.tolist(), strict=True):
            apart[a, b] -= 1
        for a, b in zip(first.after, second.after, strict=True):
            left, right = (
                [m for m in field.released[at].members if m in occurs]
                for field, at, occurs in zip((first, second), (a, b), occurring, strict=True)
            )
            for x in left:
                for y in right:
                    apart[x, y] += len(table) / kept / len(left) / len(right)
        total = sum(map(abs, apart.values()))
        assert variation == pytest.approx(total / len(table) / 2)
        assert cells == pytest.approx(total / len(first.answers) / len(second.answers))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_control_guesses_from_the_others_alone(people: list[tuple[int, int]]) -> None:
    table = np.zeros((4, 3), dtype=np.int64)
    for group, answer in people:
        table[group, answer] += 1

    def chance(counts: np.ndarray, answer: int) -> float:
        return (counts[answer] == counts.max()) / (counts == counts.max()).sum() if counts.sum() else 0.0

    reached = np.mean([chance(table[group], answer) for group, answer in people])
    without = np.mean([chance(table[group] - np.eye(3, dtype=int)[answer], answer) for group, answer in people])
    assert inference.guessed(table[table.sum(axis=1) > 0]) == pytest.approx((reached, without))


@settings(max_examples=25)
@given(rows)
def test_a_linkage_attack_finds_what_looking_row_by_row_finds(table: list[tuple[int, ...]]) -> None:
    fields = fields_of(table)
    found = linkage.link(fields[:3])
    assert found.people == max(1, -(-len(table) // 10))
    chances: dict[tuple[int, ...], float] = {}
    for row in table:
        fit = sum(all(row[v] in fields[v].released[fields[v].after[at]].members for v in range(3)) for at in range(len(table)))
        chances[row[:3]] = 1 / fit
    possible = (
        {round(sum(some) / found.people, 9) for some in combinations([chances[row[:3]] for row in table], found.people)}
        if len(table) <= 20
        else None
    )
    assert possible is None or round(found.right, 9) in possible
    assert min(chances.values()) - 1e-9 <= found.right <= max(chances.values()) + 1e-9


@settings(max_examples=12)
@given(rows, st.randoms())
def test_the_order_of_arrival_leaves_no_trace(table: list[tuple[int, ...]], random: object) -> None:
    fields = fields_of(table, 1)
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = [replace(field, before=field.before[order]) for field in fields]
    assert encode(report(fields, FACTS)) == encode(report(turned, FACTS))


@settings(max_examples=25)
@given(rows, rows)
def test_headlines_tell_nothing_of_who_was_left_out(table: list[tuple[int, ...]], others: list[tuple[int, ...]]) -> None:
    """Whatever the two who were left out had answered: beside the release, the figures of exact answers are the same."""
    one, other = (fields_of([*table, *gone[:2], *table][len(table) :], 2)[2] for gone in (table, others))
    assert utility.headline("A", one, ("a",)) == utility.headline("A", other, ("a",))


@settings(max_examples=25)
@given(rows, st.integers(0, 3))
def test_a_headline_never_moved_by_more_than_is_said(table: list[tuple[int, ...]], gone: int) -> None:
    for field in fields_of(table, gone)[:3]:
        found = utility.headline("A", field, ("a",))
        if found is None:
            assert not any(len(value.members) == 1 and count for value, count in zip(field.released, field.counts, strict=True))
            continue
        assert abs(found.share - float((field.before == 0).mean())) <= found.moved + 1e-9
        assert found.interval[0] <= found.share <= found.interval[1]
        true = of_share(float((field.before == 0).mean()), len(field.before))
        assert found.within[0] - 1e-9 <= true[0] <= true[1] <= found.within[1] + 1e-9, "nor did its interval"


def test_without_headlines_of_its_own_the_report_follows_answers_in_their_words_and_options_that_were_chosen() -> None:
    heads = {head.variable: head for head in written()[2].utility.headlines}
    assert heads["statements.safe"].label == "I feel safe. – How far do you agree? Yes"
    assert heads["since"].label == "Since when? 2010+", "a band has no other words"
    chosen = next(column for column in written()[1].columns if column.name == "reasons.market")
    share = chosen.counts[[category.code for category in chosen.categories].index("1")] / heads["reasons.market"].answered
    assert heads["reasons.market"].share == pytest.approx(share, abs=0.02)
    assert heads["reasons.market"].label == "Same label – Why?"


def test_a_headline_of_a_questionnaire_is_one_share_or_one_of_each_answer() -> None:
    original, table, _ = written()
    fields = compare(original, table, variables(every_kind()))
    label = {"en": "Said so"}

    def followed(question: str, *options: str, row: str | None = None) -> list[Share]:
        asked = Headline("h", label, question, "share", None, options, row)
        return list(shares(msgspec.structs.replace(every_kind(), headlines=(asked, asked)), fields))

    assert followed("A2", "old", "hill") == [Share(label, "district", ("old", "hill"))]
    assert [(share.label["en"], share.codes) for share in followed("A2")] == [
        ("Old town", ("old",)),
        ("Harbour", ("harbour",)),
        ("Hill", ("hill",)),
        ("Prefer not to say", ("pnts",)),
    ]
    assert [(share.variable, share.codes) for share in followed("A3")] == [
        (f"reasons.{code}", ("1",)) for code in ("market", "a-long.and+odd-code-of-more-than-32", "none")
    ]
    assert followed("A3", "market") == [Share({"en": "Same label", "fr": "Marché"}, "reasons.market", ("1",))]
    assert followed("A4", "2", row="light") == [Share({"en": "It is light.: Yes"}, "statements.light", ("2",))]
    assert [share.variable for share in followed("A4", "2")] == ["statements.safe", "statements.light"]
    usual = [share.variable for share in shares(every_kind(), fields)]
    assert usual, "what most have answered"
    assert [share.variable for share in followed("A5")] == usual, "a ranking has no share of its own"


def test_a_percentage_never_says_none_or_all_where_some_are() -> None:
    said = [
        percent(share).replace("\N{NO-BREAK SPACE}", " ") for share in (0, 0.0004, 0.0005, 0.0449, 0.1, 0.555, 0.9949, 0.9951, 0.9996, 1)
    ]
    assert said == ["0 %", "< 0.1 %", "0.1 %", "4.5 %", "10 %", "56 %", "99 %", "99.5 %", "> 99.9 %", "100 %"]


def test_figures_of_the_answers_as_given_are_rounded() -> None:
    table = [(r % 3, r % 2, r % 3, r % 4) for r in range(37)]
    found = json.loads(encode(report(fields_of(table, 2), FACTS)))

    def check(value: object, coarse: bool) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                check(inner, coarse or name == "before" or name.endswith("_before"))
        elif isinstance(value, list):
            for inner in value:
                check(inner, coarse)
        elif coarse and isinstance(value, float):
            assert value == round(value, 2)

    check(found, coarse=False)


@cache
def written() -> tuple[pd.DataFrame, Dataset, ReleaseReport]:
    """A release of every kind of question: quasi-identifiers one level up, two rows left out, some answers withheld."""
    instrument = every_kind()
    columns = variables(instrument)
    reader, given_ = answers(instrument, 300)
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add(given_)
    original = encoder.table()
    out = original.iloc[2:].astype("object")
    for column in columns:
        if steps := column.ladder():
            out[column.name] = [steps[-1].get(code, "*") for code in out[column.name]]
    out.iloc[:7, out.columns.get_loc("unit")] = "*"
    edition = ReleaseInfo(
        1, "every-kind", "0.1.0", instrument.title, ("en", "fr"), "en", "CC-BY-4.0", {}, "public", 5, 5, 300, 298, 2
    )  # fmt: skip
    table = tabulate(edition, instrument, columns, out, {"age": "band", "district": "side"})
    return original, table, report_on(original, table, columns, instrument, ("Two rows were left out.",))


def test_every_released_value_stands_for_the_answers_it_came_from() -> None:
    original, table, _ = written()
    fields = compare(original, table, variables(every_kind()))
    assert len(fields) == len(table.columns)
    for field in fields:
        for at, before in zip(field.after.tolist(), field.before[2:].tolist(), strict=True):
            assert before in field.released[at].members
    levels = {field.name: {value.level for value, n in zip(field.released, field.counts, strict=True) if n} for field in fields}
    assert levels["district"] <= {"side", "as answered", "not shown"}
    assert "side" in levels["district"]
    assert levels["unit"] == {"as answered", "not shown"}


def test_the_page_needs_nothing_from_outside_and_says_the_same_each_time() -> None:
    _, table, found = written()
    made = files_of(found, table)
    assert made == files_of(found, table)
    assert list(made) == ["report.json", "report.html"]
    shown = made["report.html"].decode()
    assert "298 of 300 responses" in shown
    assert "Two rows were left out." in shown
    for foreign in ("<script", "http://", "https://", "<link", "<img", "url("):
        assert foreign not in shown
    assert shown.count("<h1") == 1


def test_the_report_is_a_file_of_the_release_that_the_manifest_vouches_for(tmp_path: Path) -> None:
    _, table, found = written()
    manifest = write(tmp_path, table, {}, Signer(bytes(32)), lambda share: None, report=files_of(found, table))
    assert check(tmp_path) == []
    assert {"report.json", "report.html"} < {file.name for file in manifest.files}


VIEWS = [(320, "dark"), (1280, "light")]


def test_the_page_reads_well_on_a_phone_and_in_the_dark_and_axe_finds_nothing(chromium: Browser, tmp_path: Path) -> None:
    source = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    (tmp_path / "report.html").write_text(page(written()[2], every_kind().title, "en"), "utf-8")
    for width, scheme in VIEWS:
        opened = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        opened.goto((tmp_path / "report.html").as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        hidden = "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
        assert opened.evaluate(hidden) == 0, "no figure and no plot is out of sight"
        opened.evaluate(source)
        run = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(v => v.id + v.nodes[0].failureSummary)"
        found = opened.evaluate(run)
        assert found == [], (width, scheme)
        opened.close()


def test_nothing_released_is_an_error_and_one_variable_is_a_report() -> None:
    fields = fields_of([(0, 0, 0, 0)] * 5)
    with pytest.raises(ValueError, match="no released row"):
        report([], FACTS)
    alone = report(fields[2:3], FACTS)
    assert alone.utility.tables == 0
    assert "5 of 5" in page(alone, {"en": "S"}, "en")
