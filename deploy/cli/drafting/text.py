"""Writes a draft as text: the instrument with its comments, with the import map beside it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proto.authoring.schema import FORMAT
from proto.authoring.yaml_nodes import IMPORT_MAP, Scalar

if TYPE_CHECKING:
    from deploy.cli.drafting.draft import DraftInstrument, DraftQuestion

_ROLES = """\
# Roles: identifying, quasi_identifier (with a hierarchy), sensitive, insensitive, free_text. All are guesses here: review each."""
_STATS = {
    "single": "[count, share, crosstab]",
    "multiple": "[count, share, crosstab]",
    "integer": "[count, distribution, mean, median]",
    "numeric": "[count, distribution, mean, median]",
    "long_text": "[count]",
}
_BROKEN_LINE = re.compile("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def instrument_text(draft: DraftInstrument) -> str:
    """YAML in the author format, ready to be edited."""
    lines = [
        f"# A draft from {draft.rows:,} rows. Review id, title, texts and roles, and group the questions into sections.",
        _ROLES,
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
    return "\n".join(lines) + "\n"


def _question(question: DraftQuestion) -> list[str]:
    lines = [f"  - id: {_plain(question.id)}", f"    var: {_plain(question.var)}", "    section: A", f"    type: {question.kind}"]
    lines.append(f"    text: {{en: {quoted(question.text)}}}")
    if question.bands is not None:
        lines += [f"    min: {question.bands.least}", f"    max: {question.bands.greatest}"]
        if question.bands.decimals:
            lines.append(f"    decimals: {question.bands.decimals}")
        lines.append(f"    bands: [{', '.join(map(quoted, question.bands.texts))}]")
    if question.choices:
        lines.append("    options:")
        for choice in question.choices:
            alone = ", exclusive: true" if choice.exclusive else ""
            lines.append(f"      - {{code: {quoted(choice.code)}, en: {quoted(choice.label)}{alone}}}")
    if question.none:
        lines.append("    min_choices: 0  # in some rows none applies, which is an answer")
    if question.max_chars:
        lines.append(f"    max_chars: {question.max_chars}")
    if question.remark:
        lines.append(f"    # {question.remark}")
    return [*lines, f"    privacy: {{{_privacy(question)}}}  # review", f"    stats: {_STATS[question.kind]}"]


def _privacy(question: DraftQuestion) -> str:
    if question.kind == "long_text":
        return "role: free_text"
    if not question.person:
        return "role: insensitive"
    return f"role: quasi_identifier, hierarchy: {_plain(question.var) if question.bands else 'as-given'}"


def _hierarchies(questions: Sequence[DraftQuestion]) -> list[str]:
    """Hierarchies for identifying variables: exact or "*", until the author writes better levels."""
    people = [question for question in questions if question.person]
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
        "# For `platea import ID FILE.csv --map MAP`: the question that each column answers, and the code of each label.",
        f"format: {IMPORT_MAP}",
        f"survey: {_plain(draft.survey)}",
        "columns:",
    ]
    for question in draft.questions:
        for column, codes in question.columns.items():
            lines += [_key(column, 2), f"    question: {_plain(question.id)}"]
            if isinstance(codes, str):
                lines.append(f"    option: {quoted(codes)}")
            elif codes:
                lines.append("    codes:")
                lines += [f"{_key(label, 6)} {quoted(code)}" for label, code in codes.items()]
    lines.append("ignored:" + ("" if draft.ignored else " []"))
    lines += [f"  - {quoted(column)}" for column in draft.ignored]
    return "\n".join(lines) + "\n"


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


def _comment(text: str) -> str:
    return re.sub(r"[\x00-\x1f]+|" + _BROKEN_LINE.pattern, " ", text)[:80]
