"""Questionnaires as authors may write them, of every kind and with every rule, for properties."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from deploy.cli.exchange.author_yaml import written
from proto import author
from proto.authoring.schema import FORMAT
from proto.instrument import Instrument
from tests.builders.no_table import no_table

Document = dict[str, Any]
LANGUAGES = ("en", "fr")
WORDS = st.one_of(  # braces show answers, so they are doubled where they are letters
    st.sampled_from(
        [
            "Yes",
            "No",
            "How often?",
            "=1+1",
            "a = b",
            "{{name}}",
            "Don't know",
            "*stars*",
            "1",
            "#",
            "l'été, déjà",
            "x\ny",
            "<b>bold</b>",
            "–",
        ]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="{}"), min_size=1, max_size=30
    ).filter(lambda text: text.strip() != ""),
)
CODE = st.one_of(
    st.sampled_from(["1", "2", "01", "yes", "no", "other", "none", "dk", "na", "a.b", "A", "x-1"]),
    st.from_regex(r"[A-Za-z0-9_.+-]{1,8}", fullmatch=True),
)


KINDS = ["single", "multiple", "matrix", "ranking", "integer", "numeric", "date", "short_text", "long_text", "constant_sum"]


@st.composite
def texts(draw: st.DrawFn) -> Document:
    return {language: draw(WORDS) for language in LANGUAGES}


@st.composite
def coded(draw: st.DrawFn, least: int = 2, most: int = 4) -> list[Document]:
    codes = draw(st.lists(CODE, min_size=least, max_size=most, unique=True))
    return [{"code": code, **draw(texts())} for code in codes]


@st.composite
def question(draw: st.DrawFn, number: int, section: str) -> Document:
    kind = draw(st.sampled_from(KINDS))
    text = kind in ("short_text", "long_text")
    entry: Document = {"id": f"Q{number}", "var": f"v{number}", "section": section, "type": kind, "text": draw(texts())}
    if draw(st.booleans()):
        entry["help"] = draw(texts())
    if draw(st.booleans()):
        entry["required"] = True
    match kind:
        case "single":
            entry["options"] = draw(coded())
        case "multiple":
            entry["options"] = draw(coded(3))
            if draw(st.booleans()):
                entry["options"][-1]["exclusive"] = True
            if draw(st.booleans()):
                entry["max_choices"] = 2
            if draw(st.booleans()):
                entry["min_choices"] = draw(st.integers(0, 2))
        case "matrix":
            entry["rows"], entry["options"] = draw(coded(1)), draw(coded())
            if draw(st.booleans()):
                entry["randomise_rows"] = True
        case "ranking":
            entry["options"] = draw(coded())
            entry["rank_count"] = draw(st.integers(1, len(entry["options"])))
        case "integer":
            entry |= {"min": draw(st.integers(-5, 5)), "max": draw(st.integers(6, 1_000_000))}
        case "numeric":
            entry |= {
                "min": draw(st.sampled_from([-1.5, 0.0, 1.25])),
                "max": draw(st.sampled_from([2.5, 1e6])),
                "decimals": draw(st.integers(0, 4)),
            }
        case "constant_sum":
            entry |= {"rows": draw(coded(2)), "total": draw(st.integers(2, 100))}
        case "date" if draw(st.booleans()):
            entry |= {"precision": "year", "min": "1950", "max": draw(st.sampled_from(["today", "2031"]))}
        case "date":
            day = draw(st.booleans())
            entry |= {"precision": "day" if day else "month", "min": "2001-02-03" if day else "2001-02"}
            if draw(st.booleans()):
                entry["max"] = "2031-05-06" if day else "2031-05"
        case _:
            entry["max_chars"] = draw(st.integers(1, 900))
    entry["privacy"] = {"role": "free_text" if text else draw(st.sampled_from(["insensitive", "sensitive", "identifying"]))}
    entry["stats"] = ["count"]
    return entry


@st.composite
def rule(draw: st.DrawFn, earlier: list[Document], depth: int = 2) -> Document:
    """A rule on earlier questions; whether anybody can meet it is the check's business."""
    if depth and draw(st.integers(0, 2)) == 0:
        form = draw(st.sampled_from(["all", "any", "not"]))
        if form == "not":
            return {"not": draw(rule(earlier, depth - 1))}
        return {form: [draw(rule(earlier, depth - 1)) for _ in range(draw(st.integers(1, 3)))]}
    asked = draw(st.sampled_from(earlier))
    codes = [option["code"] for option in asked.get("options", [])]
    some = st.lists(st.sampled_from(codes), min_size=1, max_size=2, unique=True) if codes else st.nothing()
    match asked["type"]:
        case "single":
            return {"q": asked["id"], "op": draw(st.sampled_from(["in", "not_in"])), "value": draw(some)}
        case "multiple" if draw(st.booleans()):
            return {"q": asked["id"], "op": "any_in", "value": draw(some)}
        case "multiple":
            return {"q": asked["id"], "op": "at_least", "value": [draw(st.integers(1, 2))]}
        case "matrix" if draw(st.booleans()):
            return {"q": asked["id"], "op": "any_row_in", "value": draw(some)}
        case "matrix":
            rows = [row["code"] for row in asked["rows"]]
            return {"q": asked["id"], "op": "any_row_in", "value": draw(some), "rows": [draw(st.sampled_from(rows))]}
        case "integer" | "numeric" | "date" if "special" in asked and draw(st.booleans()):
            return {"q": asked["id"], "op": draw(st.sampled_from(["in", "not_in"])), "value": ["dk"]}
        case "integer" | "numeric":
            return {"q": asked["id"], "op": draw(st.sampled_from(["at_least", "at_most"])), "value": [draw(st.integers(3, 5))]}
        case "date":
            return {"q": asked["id"], "op": "at_least", "value": [asked["min"]]}
        case _:
            return {"q": asked["id"], "op": "answered"}


def _enrich(draw: st.DrawFn, entry: Document, earlier: list[Document]) -> None:
    """What a question may have besides: options that open a text, an order of their own, an earlier answer in its text."""
    kind = entry["type"]
    if kind in ("single", "multiple") and draw(st.booleans()):
        chosen = draw(st.sampled_from(entry["options"]))
        if not chosen.get("exclusive"):
            chosen["specify"] = draw(st.sampled_from([True, {"max_chars": 30, "required": True}]))
    if kind in ("integer", "numeric", "date") and draw(st.booleans()):
        entry["special"] = [{"code": "dk", **draw(texts())}]
    if kind in ("integer", "numeric") and draw(st.booleans()):
        del entry["max"]
    if kind in ("integer", "numeric", "constant_sum") and draw(st.booleans()):
        entry["unit"] = draw(texts())
    if kind in ("single", "multiple", "integer", "numeric", "date") and entry["privacy"]["role"] != "identifying" and draw(st.booleans()):
        entry["prefill"] = True
    if kind == "short_text" and draw(st.booleans()):
        entry["pattern"] = draw(st.sampled_from(["email", "telephone", "postal_code"]))
    if kind in ("single", "matrix") and draw(st.booleans()):
        entry["ordered"] = True
        for place, option in enumerate(entry["options"]):
            if option["code"] not in ("dk", "na", "pnts"):
                option["score"] = 2 * place - 1
    if kind == "matrix" and len(entry["rows"]) > 1 and draw(st.booleans()):
        entry["rows"][-1]["exclusive"] = True
    for part in ("options", "rows"):
        if earlier and part in entry and kind != "constant_sum" and draw(st.integers(0, 3)) == 0:
            draw(st.sampled_from(entry[part]))["show_if"] = draw(rule(earlier, 1))
    if kind in ("single", "multiple", "ranking") and draw(st.booleans()):
        entry["randomise_options"] = True
    shown = [asked for asked in earlier if asked["type"] in ("single", "multiple") and asked["privacy"]["role"] != "identifying"]
    if shown and draw(st.booleans()):
        entry["text"]["en"] = f"Why {{{draw(st.sampled_from(shown))['id']}}}?"


@st.composite
def documents(draw: st.DrawFn) -> Document:
    sections: list[Document] = [{"id": id, "text": draw(texts())} for id in ("A", "part-2")[: draw(st.integers(1, 2))]]
    questions: list[Document] = []
    for number in range(1, draw(st.integers(len(sections), 6)) + 1):
        section = sections[min(number - 1, len(sections) - 1)]["id"]
        entry = draw(question(number, section))
        if questions and draw(st.booleans()):
            entry["show_if"] = draw(rule(questions))
        _enrich(draw, entry, questions)
        questions.append(entry)
    listed = list(questions)
    if draw(st.booleans()):
        note = {"id": "N1", "type": "note", "section": questions[0]["section"], "text": draw(texts())}
        listed.insert(draw(st.integers(0, 1)), note)
    document: Document = {
        "format": FORMAT,
        "id": "some-survey",
        "version": "0.2.1",
        "source_language": "en",
        "languages": list(LANGUAGES),
        "title": draw(texts()),
        "notice": draw(texts()),
        "sections": sections,
        "questions": listed,
    }
    if draw(st.booleans()):
        document["introduction"] = draw(texts())
    numbers = [entry["id"] for entry in questions if entry["type"] in ("integer", "numeric") or entry.get("ordered")]
    if numbers and draw(st.booleans()):
        op = draw(st.sampled_from(["sum", "mean", "score", "count", "min", "max"]))
        computed = {"id": "C1", "label": draw(texts()), "op": op, "of": numbers, "privacy": {"role": "identifying"}}
        document["computed"] = [computed | {"least": draw(st.integers(1, len(numbers))), "decimals": draw(st.integers(0, 4))}]
    if draw(st.booleans()):
        document["opens"] = {"at": "2026-12-01 09:00", "zone": "Europe/Brussels"}
    if draw(st.booleans()):
        document["closes"] = {"at": "2026-12-31 18:00", "zone": "UTC", "grace_minutes": draw(st.integers(0, 90))}
    document |= draw(st.sampled_from([{}, {"listed": False}, {"one_question_per_page": True}, {"participation": "invited"}]))
    if draw(st.booleans()):
        document["quotas"] = [{"id": "some", "when": draw(rule(questions, 1)), "limit": 40, "text": draw(texts())}]
    if draw(st.booleans()):
        draw(st.sampled_from(sections[1:] or sections))["show_if"] = draw(rule(questions[:1], 0))
    if draw(st.booleans()):
        labels = {"1": draw(texts()), "0": draw(texts())}
        document["derived"] = [{"id": "keen", "rule": draw(rule(questions, 1)), "labels": labels}]
    if draw(st.booleans()):
        document["soft_checks"] = [{"id": "sure", "when": draw(rule(questions, 1)), "text": draw(texts())}]
    return document


@st.composite
def questionnaires(draw: st.DrawFn) -> tuple[str, Instrument]:
    """The author's YAML of a sound questionnaire, and what is read of it. A rule that nobody can meet is taken away."""
    document = draw(documents())
    while True:
        text = written(document, [], [])
        found = author.read(text, "some.yaml", no_table)
        if isinstance(found, Instrument):
            return text, found
        assert _mended(document, [fault.path for fault in found]), [str(fault) for fault in found]


OPTIONAL = ("show_if", "min_choices", "max_choices", "ordered", "prefill", "pattern", "special", "unit", "randomise_options")


def _mended(document: Document, paths: list[str]) -> bool:
    before = repr(document)
    for path in paths:
        parts = path.strip("/").split("/")
        if parts[0] == "questions" and len(parts) > 2:
            entry = document["questions"][int(parts[1])]
            if parts[2] in OPTIONAL:
                entry.pop(parts[2], None)
            elif parts[2] in ("options", "rows") and len(parts) > 4:
                entry[parts[2]][int(parts[3])].pop(parts[4], None)
            else:
                entry.pop("pattern", None)
                for option in [*entry.get("options", []), *entry.get("rows", [])]:
                    option.pop("show_if", None)
                    option.pop("score", None)
                if repr(document) == before:  # codes that look like scores, in no order
                    entry.pop("ordered", None)
        elif parts[0] == "questions":
            for option in document["questions"][int(parts[1])].get("options", []):
                option.pop("show_if", None)
        elif parts[0] == "sections":
            document["sections"][int(parts[1])].pop("show_if", None)
        elif parts[0] in ("derived", "soft_checks", "computed", "quotas"):
            document.pop(parts[0], None)
    return repr(document) != before
