"""Writes a draft as text: the instrument with its comments, with the import map beside it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from deploy.cli.drafting.numbers import times
from proto import piping
from proto.authoring.schema import FORMAT
from proto.authoring.yaml_nodes import IMPORT_MAPS, Scalar

if TYPE_CHECKING:
    from deploy.cli.drafting.draft import DraftInstrument, DraftQuestion

_ROLES = """\
# Roles: identifying, quasi_identifier (with a hierarchy), sensitive, insensitive, free_text. All are guesses here. Take away each mark
# "review" once you have judged its line; `platea survey publish` waits for that."""
_STATS = {
    "single": "[count, share, crosstab]",
    "multiple": "[count, share, crosstab]",
    "matrix": "[count, share]",
    "integer": "[count, distribution, mean, median]",
    "numeric": "[count, distribution, mean, median]",
    "long_text": "[count]",
}
_BROKEN_LINE = re.compile("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def instrument_text(draft: DraftInstrument) -> str:
    """YAML in the author format, ready to be edited."""
    lines = [
        f"# A draft from {draft.rows:,} rows. Give it id, title and texts, and group the questions into sections.",
        _ROLES,
        *_unread(draft),
        *(f"# Left out: {_comment(column)} ({reason})." for column, reason in draft.ignored.items()),
        f"format: {FORMAT}",
        f"id: {_plain(draft.survey)}",
        'version: "0.1.0"',
        "source_language: en",
        "languages: [en]",
        f"title: {{en: {quoted(draft.title)}}}",
        'notice: {en: "I agree to take part. I can withdraw my answers with the code on my receipt."}',
        *_hierarchies(draft.questions),
        "sections:",
        "  - id: A",
        '    text: {en: "Questions"}',
        "questions:",
    ]
    for question in draft.questions:
        lines += _question(question)
    if (weight := draft.weight) is not None:
        lines += [
            "# review: what each row weighs, rounded to one of a few classes from the least to the greatest weight",
            "case_weight:",
            f"  id: {_plain(weight.id)}",
            f"  var: {_plain(weight.var)}",
            f"  label: {{en: {quoted(piping.escape(weight.column))}}}",
            f"  least: {weight.least}",
            f"  greatest: {weight.greatest}",
            "  privacy: {role: quasi_identifier}  # review: role",
        ]
    return "\n".join(lines) + "\n"


def _question(question: DraftQuestion) -> list[str]:
    lines = [f"  - id: {_plain(question.id)}", f"    var: {_plain(question.var)}", "    section: A", f"    type: {question.kind}"]
    lines.append(f"    text: {{en: {quoted(piping.escape(question.text))}}}")
    if question.bands is not None:
        lines += [f"    min: {question.bands.least}", f"    max: {question.bands.greatest}"]
        if question.bands.decimals:
            lines.append(f"    decimals: {question.bands.decimals}")
        lines.append(f"    bands: [{', '.join(map(quoted, question.bands.texts))}]")
    if question.rows:
        lines.append("    rows:")
        lines += [f"      - {{code: {quoted(row.code)}, en: {quoted(piping.escape(row.label))}}}" for row in question.rows]
    if question.choices:
        lines.append("    options:")
        for choice in question.choices:
            alone = ", exclusive: true" if choice.exclusive else ""
            lines.append(f"      - {{code: {quoted(choice.code)}, en: {quoted(piping.escape(choice.label))}{alone}}}")
    if question.none:
        lines.append("    min_choices: 0  # review: in some rows none applies, which is an answer unless they were not asked")
    if question.max_chars:
        lines.append(f"    max_chars: {question.max_chars}")
    lines += [f"    # review: {_comment(remark, 200)}" for remark in question.remarks]
    return [*lines, f"    privacy: {{{_privacy(question)}}}  # review: role", f"    stats: {_STATS[question.kind]}"]


def _unread(draft: DraftInstrument) -> list[str]:
    """What of the data is not in the draft, or may not be."""
    lines: list[str] = []
    if draft.name_like_data:
        said = f"the first row is taken for names, though {quoted(draft.name_like_data)} looks like an answer"
        lines.append(f"# review: {_comment(said, 200)}; if it is one, put a row of names above it")
    if draft.missing:
        told = ", ".join(f"{quoted(token)} ({times(count)})" for token, count in draft.missing.items())
        lines.append(f"# review: taken for no answer, as `missing` in the import map says: {_comment(told, 400)}")
    if draft.unread:
        count = len(draft.unread)
        lines.append(f"# review: {count:,} row{'s' if count > 1 else ''} could not be read, such as {_comment(draft.unread[0], 200)}")
    return lines


def _privacy(question: DraftQuestion) -> str:
    if question.role != "quasi_identifier":
        return f"role: {question.role}"
    return f"role: quasi_identifier, hierarchy: {_plain(question.var) if question.bands else 'as-given'}"


def _hierarchies(questions: Sequence[DraftQuestion]) -> list[str]:
    """Hierarchies for identifying variables: exact or "*", until the author writes better levels."""
    people = [question for question in questions if question.role == "quasi_identifier"]
    lines = ["hierarchies:"] if people else []
    if any(question.bands is None for question in people):
        lines.append('  as-given: {levels: [answer, "*"]}  # better: levels between, see docs/instrument.md')
    for question in people:
        if question.bands is not None:
            texts = ", ".join(map(quoted, question.bands.texts))
            lines.append(f'  {_plain(question.var)}: {{levels: [exact, band, "*"], bands: [[{texts}]]}}')
    return lines


def import_map_text(draft: DraftInstrument) -> str:
    """The import map as YAML: the question of each column, the code of each label."""
    lines = [
        "# For `platea import ID FILE --map MAP`: the question that each column answers, and the code of each label.",
        f"format: {IMPORT_MAPS[-1]}",
        f"survey: {_plain(draft.survey)}",
    ]
    if draft.file:
        lines.append(f"file: {_flow(draft.file)}")
    if draft.missing:
        lines.append(f"missing: {_flow(list(draft.missing))}  # no answer, in every column")
    if draft.identity:
        lines.append(f"rows: {{identity: [{quoted(draft.identity)}]}}  # a row is known again by it; it is not sent")
    if draft.weight is not None:
        lines.append(f"weight: {{column: {quoted(draft.weight.column)}}}")
    lines.append("columns:")
    for question in draft.questions:
        for column, said in question.columns.items():
            lines += [_key(column, 2), f"    question: {_plain(question.id)}"]
            for name, value in said.items():
                if name == "codes":
                    lines.append("    codes:")
                    lines += [f"{_key(label, 6)} {quoted(code)}" for label, code in value.items()]
                else:
                    lines.append(f"    {name}: {_flow(value)}")
    lines.append("ignored:" + ("" if draft.ignored else " {}"))
    lines += [f"{_key(column, 2)} {quoted(reason)}" for column, reason in draft.ignored.items()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value of the map in one line."""
    match value:
        case dict():
            pairs = cast("dict[str, Any]", value)
            return f"{{{', '.join(f'{name}: {_flow(entry)}' for name, entry in pairs.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(_flow, cast('list[Any]', value)))}]"
        case _:
            return quoted(str(value))


def quoted(text: str) -> str:
    """A double-quoted YAML scalar: JSON, with every character escaped that YAML would take for a line's end."""
    return _BROKEN_LINE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _plain(name: str) -> str:
    """Without quotes, unless YAML would take the name for a truth or a number."""
    return name if Scalar(0, name, quoted=False).value()[0] == "text" else quoted(name)


def _key(text: str, indent: int) -> str:
    """A key; YAML wants the long form for long ones."""
    key = quoted(text)
    return f"{' ' * indent}{key}:" if len(key) < 900 else f"{' ' * indent}? {key}\n{' ' * indent}:"


def _comment(text: str, longest: int = 80) -> str:
    return re.sub(r"[\x00-\x1f]+|" + _BROKEN_LINE.pattern, " ", text)[:longest]
