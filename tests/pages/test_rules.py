"""The page opens and closes the same questions as the server: generated questionnaires and answers, evaluation by both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from proto.answers import Reader
from proto.blank import is_blank
from proto.instrument import (
    AnyQuestion,
    Computed,
    ConstantSum,
    Date,
    Derived,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Note,
    Numeric,
    Option,
    Privacy,
    Ranking,
    Row,
    Rule,
    Section,
    ShortText,
    Single,
)
from proto.piping import STAND_IN
from proto.text_patterns import PATTERNS, SOURCES, TextPattern, fits
from services.intake.form import typed_values
from services.intake.form.client_rules import needed
from services.intake.form.flow import Evaluation, FormFlow, FormState
from services.intake.form.piped_texts import labels_of, list_patterns, with_answers
from tests.proto.test_text_patterns import FITTING, WRONG

TODAY = "2026-11-22"
CASES = 300
KINDS = (Single, Single, Multiple, Matrix, Ranking, ConstantSum, Integer, Numeric, Date, ShortText, LongText)
OPTIONS = tuple(Option(code, {"en": code}, exclusive=code == "d") for code in "abcd")
ROWS = tuple(Row(code, {"en": code}) for code in ("r1", "r.2", "r~/3"))
codes = st.sampled_from(["a", "b", "c", "d", ""])
boxes = codes | st.just("[]")
NUMBERS = [
    "",
    "0",
    "7",
    "12,5",
    "12.5",
    "1 000",
    "1.000",
    "1,000",
    "-3",
    "5,0",
    "999999",
    "x",
    "dk",
    "1e3",
    " 4 ",
    "\u22123",
    "\uff17",
    "20 25",
    "5'6",
]
numbers = st.sampled_from(NUMBERS)
SPECIAL = (Option("dk", {"en": "Not known"}), Option("7k", {"en": "Far too many"}))
ticked = st.sampled_from([[], [], ["dk"], ["7k"], ["dk", "7k"]])
signs = st.sampled_from(
    [*"0123456789", *"0123456789", *".,.,", " ", "\u00a0", "'", "\u2019", "-", "\u2212", "\uff11", "\ufeff", "000", "250"]
)
MARKS = (".,", ",.", ",")
years = st.sampled_from(["", "2001", "2024", "2030", "20", "0000"])
small = st.sampled_from(["", "1", "02", "12", "13", "30", "x"])
texts = st.sampled_from(
    ["", "  ", "\u200b", "\u2800\u00ad", "\ufeffx", "word", "zwölf👋🏽👋🏽", "x" * 8, "x" * 9, "a\r\nb", "\u05d0\u202e"]
)


@st.composite
def questions(draw: st.DrawFn, id: str, before: list[AnyQuestion], derived: list[Derived]) -> AnyQuestion:
    kind = draw(st.sampled_from(KINDS))
    common: dict[str, Any] = {
        "id": id,
        "var": id.lower(),
        "section": id[0],
        "text": {"en": id},
        "privacy": Privacy("insensitive"),
        "required": not draw(st.integers(0, 3)),
        "show_if": draw(rules(before, derived)) if before and draw(st.integers(0, 3)) else None,
    }
    options, rows = OPTIONS, ROWS
    if before and draw(st.integers(0, 3)):  # the first two of each may be hidden
        own = [draw(st.none() | rules(before, derived, 0)) for _ in range(2)]
        options = (*(msgspec.structs.replace(option, show_if=rule) for option, rule in zip(OPTIONS, own, strict=False)), *OPTIONS[2:])
        rows = (*(msgspec.structs.replace(row, show_if=rule) for row, rule in zip(ROWS, own, strict=False)), *ROWS[2:])
    if kind is Matrix and draw(st.booleans()):
        rows = (*rows[:-1], msgspec.structs.replace(rows[-1], exclusive=True))
    special = draw(st.sampled_from([(), SPECIAL]))
    limits: dict[Any, dict[str, Any]] = {
        Single: {"options": options},
        Multiple: {"options": options, "min_choices": draw(st.integers(0, 2)), "max_choices": draw(st.sampled_from([None, 2, 3]))},
        Matrix: {"rows": rows, "options": OPTIONS},
        Ranking: {"options": options, "rank_count": 2},
        ConstantSum: {"rows": ROWS, "total": 12},
        Integer: {"special": special, **({"min": 0, "max": 1000} if draw(st.booleans()) else {})},
        Numeric: {"min": -2.5, "max": 1000.0, "decimals": draw(st.integers(0, 2)), "special": special},
        Date: {
            "precision": draw(st.sampled_from(["year", "month", "day"])),
            "min": "2001-02",
            "max": draw(st.sampled_from(["today", "2025-02-28"])),
            "special": special,
        },
        ShortText: {"max_chars": 8},
        LongText: {"max_chars": 8},
    }
    return kind(**common, **limits[kind])


@st.composite
def rules(draw: st.DrawFn, before: list[AnyQuestion], derived: list[Derived], depth: int = 2) -> Rule:
    shape = draw(st.sampled_from(["test", "test", "all", "any", "not"])) if depth else "test"
    if shape in ("all", "any"):
        parts = tuple(draw(rules(before, derived, depth - 1)) for _ in range(draw(st.integers(1, 3))))
        return Rule(all=parts) if shape == "all" else Rule(any=parts)
    if shape == "not":
        return Rule(not_=draw(rules(before, derived, depth - 1)))
    if derived and not draw(st.integers(0, 3)):
        return Rule(q=draw(st.sampled_from(derived)).id, op="derived", value=draw(st.sampled_from([("1",), ("0",), ("0", "1")])))
    question = draw(st.sampled_from(before))
    value = tuple(draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)))
    if draw(st.integers(0, 4)) == 0:
        return Rule(q=question.id, op="answered")
    match question:
        case Single():
            return Rule(q=question.id, op=draw(st.sampled_from(["in", "not_in"])), value=value)
        case Integer() | Numeric() | Date() if question.special and draw(st.booleans()):
            among = tuple(draw(st.lists(st.sampled_from([option.code for option in question.special]), min_size=1, unique=True)))
            return Rule(q=question.id, op=draw(st.sampled_from(["in", "not_in"])), value=among)
        case Multiple() | Integer() | Numeric() | Date() if draw(st.integers(0, 3)) or isinstance(question, Computed):
            return draw(comparisons(question, before))
        case Multiple() | Ranking():
            return Rule(q=question.id, op="any_in", value=value)
        case Matrix():
            rows = tuple(draw(st.lists(st.sampled_from([row.code for row in ROWS]), max_size=2, unique=True)))
            return Rule(q=question.id, op="any_row_in", value=value, rows=rows)
        case _:
            return Rule(q=question.id, op="answered")


@st.composite
def comparisons(draw: st.DrawFn, question: AnyQuestion, before: list[AnyQuestion]) -> Rule:
    dates = isinstance(question, Date)
    others = [
        other
        for other in before
        if other != question and (isinstance(other, Date) if dates else isinstance(other, Integer | Numeric | Multiple))
    ]
    if others and draw(st.booleans()):
        return Rule(q=question.id, op=draw(st.sampled_from(["same_as", "before"])), other=draw(st.sampled_from(others)).id)
    if dates:
        value: st.SearchStrategy[Any] = st.sampled_from(["2001-12", "2024-02", "2024-12", "2024"])
    else:
        value = st.sampled_from([0, 1, 2, 3] if isinstance(question, Multiple) else [-3, 0, 4, 5, 7, 12.5, 13, 1000])
    op: Any = draw(st.sampled_from(["at_least", "at_most", "between"]))
    return Rule(q=question.id, op=op, value=tuple(sorted(draw(value) for _ in range(2 if op == "between" else 1))))


@st.composite
def computed(draw: st.DrawFn, id: str, before: list[AnyQuestion]) -> Computed | None:
    """A value over numbers, scales and rows above it; None where there are none."""
    op: Any = draw(st.sampled_from(["sum", "mean", "count", "min", "max", "score"]))
    names = [question.id for question in before if isinstance(question, Integer | Numeric | Single | Matrix | ConstantSum)]
    names += [f"{question.id}.{row.code}" for question in before if isinstance(question, Matrix | ConstantSum) for row in ROWS]
    names = [name for name in names if name[0] != "V"]
    if op == "count":  # of shares that make a total, each is given
        names = [name for name in names if not any(name.startswith(q.id) for q in before if isinstance(q, ConstantSum))]
    if not names:
        return None
    return Computed(
        id=id,
        var=id.lower(),
        section=before[-1].section,
        text={"en": id},
        privacy=Privacy("insensitive"),
        min=-10000,
        max=10000,
        decimals=draw(st.integers(0, 2)),
        op=op,
        of=tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))),
        least=draw(st.integers(1, 2)),
    )


@st.composite
def notes(draw: st.DrawFn, id: str, place: int, asked: list[AnyQuestion], derived: list[Derived]) -> Note:
    """A text before the question at this place of section B, or at its end, that shows two answers, some of another page."""
    before = asked[:place]
    chosen = [question.id for question in before if isinstance(question, Single | Multiple)]
    shows = (
        "".join(f" {{{name}}}" for name in draw(st.lists(st.sampled_from(chosen), min_size=1, max_size=3, unique=True))) if chosen else ""
    )
    following = asked[place].id if place < len(asked) else ""
    rule = draw(rules(before, derived, 1)) if draw(st.integers(0, 3)) else None
    text = {"en": f"You said{shows}."}
    return Note(id, "B", text, following, rule, {"text": text} if shows else {})


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    asked: list[AnyQuestion] = []
    derived: list[Derived] = []
    for section, count in (("A", 3), ("B", 6)):
        for number in range(count):
            asked.append(draw(questions(f"{section}{number}", list(asked), list(derived))))
            if not draw(st.integers(0, 3)) and (value := draw(computed(f"V{section}{number}", list(asked)))) is not None:
                asked.append(value)
        derived.append(Derived(f"d{section.lower()}", draw(rules(list(asked), list(derived)))))
    sections = (Section("A", {"en": "A"}), Section("B", {"en": "B"}))
    begins = next(place for place, question in enumerate(asked) if question.section == "B")
    places = sorted(draw(st.lists(st.integers(begins + 1, len(asked)), min_size=2, max_size=4, unique=True)))
    places = [place for place in places if place == len(asked) or not isinstance(asked[place], Computed)]
    told = tuple(draw(notes(f"N{number}", place, asked, derived[:1])) for number, place in enumerate(places))
    return Instrument(
        id="made",
        notes=told,
        version="1",
        source_language="en",
        languages=("en",),
        title={"en": "Made"},
        sections=sections,
        questions=tuple(asked),
        derived=tuple(derived),
    )


@st.composite
def fields_of(draw: st.DrawFn, instrument: Instrument) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for question in instrument.questions:
        if isinstance(question, Computed):
            continue
        name = f"q.{question.id}"
        match question:
            case Single():
                found[name] = [draw(codes)]
            case Multiple():
                found[name] = draw(st.lists(boxes if typed_values.offers_none(question) else codes, max_size=4))
            case Matrix():
                whole = draw(st.booleans())
                found |= {f"{name}.{row.code}": [draw(codes.filter(bool) if whole else codes)] for row in question.rows}
            case Ranking():
                found |= {f"{name}.{rank}": [draw(codes)] for rank in (1, 2)}
            case ConstantSum():
                shares = draw(st.sampled_from([["5", "7", ""], ["12", "", ""], ["0", "0", "12"]])) if draw(st.booleans()) else None
                found |= {f"{name}.{row.code}": [shares[at] if shares else draw(numbers)] for at, row in enumerate(question.rows)}
            case Integer() | Numeric():
                found |= {name: [draw(numbers)], f"{name}.special": draw(ticked) if question.special else []}
            case Date():
                found[f"{name}.special"] = draw(ticked) if question.special else []
                found |= {f"{name}.year": [draw(years)], f"{name}.month": [draw(small)], f"{name}.day": [draw(small)]}
            case ShortText() | LongText():
                found[name] = [draw(texts)]
    return found


Case = tuple[Instrument, dict[str, list[str]], str, dict[str, list[str]]]


def cases() -> list[Case]:
    """Many at once, since a browser is quicker asked once."""
    found: list[Case] = []

    @settings(
        max_examples=CASES,
        database=None,
        phases=[Phase.generate],
        derandomize=True,
        deadline=None,
        suppress_health_check=cast("list[HealthCheck]", list(HealthCheck)),
    )
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        instrument = data.draw(instruments())
        typed_before = data.draw(fields_of(instrument))
        same = {name: typed_before[name] if data.draw(st.booleans()) else given for name, given in data.draw(fields_of(instrument)).items()}
        found.append((instrument, same, data.draw(st.sampled_from(MARKS)), typed_before))

    collect()
    return found


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    found = chromium.new_page()
    found.goto(f"{address}/")
    yield found
    found.close()


def filled(sheet: FormState, walk: FormFlow, ids: list[str], fields: dict[str, list[str]], marks: str) -> FormState:
    read = {
        id: typed_values.read(walk.reader.questions[id], fields, marks, sheet.answers.get(id)) for id in ids if id in walk.reader.questions
    }
    others = {id: value for id, value in sheet.answers.items() if id not in read}
    return msgspec.structs.replace(sheet, answers=others | {id: value for id, value in read.items() if value is not msgspec.UNSET})


def test_page_and_server_ask_the_same_questions(page: Page) -> None:
    asked: list[dict[str, Any]] = []
    expected: list[set[str]] = []
    hidden: list[dict[str, frozenset[str]]] = []
    evaluations: list[Evaluation] = []
    told_by_server: list[list[str]] = []
    sheets: list[tuple[FormFlow, FormState, list[str], dict[str, list[str]], str]] = []
    for instrument, fields, mark, before in cases():
        walk = FormFlow(Reader(instrument))
        # What was typed before, perhaps in another language, and could not be read there: it stays so as long as nobody types it anew.
        sheet = filled(FormState("1"), walk, [id for id in walk.reader.questions if id[0] == "B"], before, ",.")
        sheet = filled(sheet, walk, [id for id in walk.reader.questions if id[0] == "A"], fields, mark)
        asks = walk.asks("B", walk.evaluate(sheet, TODAY))
        piped = frozenset[str]().union(*(walk.piped.get(id, ()) for id in asks))
        ruled = needed(asks, piped)
        labels = labels_of(walk.reader.questions, walk.evaluate(sheet, TODAY).answers, "en")
        evaluation = walk.evaluate(filled(sheet, walk, list(asks), fields, mark), TODAY)
        asked.append(
            {
                "asks": [msgspec.to_builtins(asks[id]) for id in asks if id in ruled],
                "fields": fields,
                "mark": mark,
                "kept": sheet.answers,
                "pipes": {id: labels(id) for id in piped},
                "notes": [note.text["en"] for note in instrument.notes if note.id in asks],
            }
        )
        after = labels_of(walk.reader.questions, evaluation.answers, "en")
        told_by_server.append([with_answers(note, after).text["en"] for note in instrument.notes if note.id in asks])
        hidden.append(evaluation.hidden)
        evaluations.append(evaluation)
        expected.append({question.id for question in walk.questions("B", evaluation)} | set(evaluation.notes))
        sheets.append((walk, sheet, [id for id in asks if id not in ruled and asks[id].computed is None], fields, mark))
        assert expected[-1] <= set(asks), "a question that the page does not hold"
    found: list[list[str]]
    found, gone, told_by_page = page.evaluate(
        """async ([cases, patterns]) => {
            const { judge } = await import('/static/rules.js');
            const told = document.body.appendChild(Object.assign(document.createElement('p'), { id: 'told' }));
            told.dataset.list = JSON.stringify(patterns);
            const texts = [];
            const field = id => {
                const select = Object.assign(document.createElement('select'), { id });
                for (const code of 'abcd') select.append(new Option(code, code));
                return select;
            };
            const judged = cases.map(({asks, fields, mark, kept}) => judge(asks, name => fields[name] ?? [], mark, id => kept[id]));
            const codes = hidden => Object.fromEntries([...hidden].map(([id, codes]) => [id, [...codes]]));
            for (const [i, { asks, notes, pipes }] of cases.entries()) {
                told.dataset.pipes = JSON.stringify(pipes);
                const { refill } = await import(`/static/piped.js?${i}`);
                const shown = notes.map(text => Object.assign(document.createElement('p'), { textContent: text }));
                for (const note of shown) note.dataset.piped = note.textContent;
                refill(shown, judged[i].answers, id => (asks.some(ask => ask.id === id) ? field(id) : undefined));
                texts.push(shown.map(note => note.textContent));
            }
            return [judged.map(({found}) => [...found]), judged.map(({hidden}) => codes(hidden)), texts];
        }""",
        [asked, list_patterns("en")],
    )
    assert told_by_page == told_by_server
    assert (
        sum(
            "{" in note and STAND_IN not in told
            for one, by_server in zip(asked, told_by_server, strict=True)
            for note, told in zip(one["notes"], by_server, strict=True)
        )
        > CASES // 20
    ), "too few texts show an answer"
    for parts, by_server, evaluation in zip(gone, hidden, evaluations, strict=True):
        assert {id: set(codes) for id, codes in parts.items() if codes} == {id: by_server[id] for id in parts if by_server.get(id)}, (
            evaluation
        )
    assert sum(any(parts.values()) for parts in gone) > CASES // 30, "too few cases hide options or rows"
    for (walk, sheet, always, fields, mark), by_page, by_server, told in zip(sheets, found, expected, asked, strict=True):
        together = {*by_page, *always}
        assert together == by_server, json.dumps(told, indent=1)
        sent = [id for id in walk.reader.questions if id in together]
        after = walk.evaluate(filled(sheet, walk, sent, fields, mark), TODAY)
        assert {question.id for question in walk.questions("B", after)} | set(after.notes) == together, (
            "what the page sends opens nothing further"
        )
    telling = sum(0 < len(shown) < len(told["asks"]) for shown, told in zip(found, asked, strict=True))
    assert telling > CASES // 10, f"too few cases say something: {telling}"


def test_page_and_server_judge_the_same_patterns(page: Page) -> None:
    asked: list[tuple[TextPattern, str]] = []
    letters = st.sampled_from([*"aB1290@@..+-/() ,;:<\"'_\\[]", "\u00a0", "\u2013", "\u00fc", "\ufeff", "\u200b", "👋", "example.eu", "\n"])

    @settings(max_examples=2000, database=None, phases=[Phase.generate], derandomize=True, deadline=None)
    @given(st.sampled_from(PATTERNS), st.data(), st.integers(0, 20), st.lists(letters, max_size=3).map("".join))
    def collect(pattern: TextPattern, data: st.DataObject, place: int, more: str) -> None:
        text = data.draw(st.sampled_from(FITTING[pattern] + WRONG[pattern]))
        changed = (text[:place] + more + text[place + data.draw(st.integers(0, 1)) :]).strip(typed_values.EDGES)
        if not is_blank(changed):
            asked.append((pattern, changed))

    collect()
    by_page: list[bool] = page.evaluate(
        """async cases => {
            const { read } = await import('/static/answers.js');
            return cases.map(([pattern, text]) => !read({ id: 'T', type: 'short_text', max: 999, pattern }, () => [text], '.').fault);
        }""",
        [(SOURCES[pattern], text) for pattern, text in asked],
    )
    by_server = [fits(pattern, text) for pattern, text in asked]
    assert [case for case, one, other in zip(asked, by_server, by_page, strict=True) if one != other] == []
    assert 200 < sum(by_server) < len(asked) - 200


def test_page_and_server_read_the_same_numbers_and_see_the_same_blanks(page: Page) -> None:
    asked: list[tuple[str, str, int]] = []

    @settings(max_examples=2000, database=None, phases=[Phase.generate], derandomize=True, deadline=None)
    @given(st.lists(signs, max_size=7).map("".join) | numbers, st.sampled_from(MARKS), st.integers(0, 3))
    def collect(text: str, marks: str, decimals: int) -> None:
        asked.append((text.strip(typed_values.EDGES), marks, decimals))

    collect()
    unseen = [chr(code) for code in (*range(0x3100), 0x3164, *range(0xFE00, 0xFE10), *range(0xFF00, 0x10000), *range(0xE0000, 0xE0200))]
    by_page: list[Any]
    by_page, blank = page.evaluate(
        """async ([numbers, letters]) => {
            const { number, read } = await import('/static/answers.js');
            const ask = { id: 'T', type: 'short_text', max: 9 };
            return [
                numbers.map(([text, marks, decimals]) => number(text, marks, decimals) ?? text),
                letters.map(letter => read(ask, () => [letter], '.').value === undefined),
            ];
        }""",
        [asked, unseen],
    )
    by_server = [typed_values.number(*case) for case in asked]
    for case, here, there in zip(asked, by_server, by_page, strict=True):
        assert (here, isinstance(here, str)) == (there, isinstance(there, str)), case
    assert sum(not isinstance(value, str) for value in by_server) > 200, "too few are numbers"
    question = ShortText(id="T", var="t", section="A", text={"en": "T"}, privacy=Privacy("insensitive"), max_chars=9)
    here = [typed_values.read(question, {"q.T": [letter]}, ".,") is msgspec.UNSET for letter in unseen]
    differing = [f"U+{ord(letter):04X}" for letter, one, other in zip(unseen, here, blank, strict=True) if one != other]
    assert not differing
