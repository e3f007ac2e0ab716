"""How the data of another tool call questions, their parts and their codes, and what they are called here. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deploy.cli.exchange.model import ForeignQuestion, FormatName
from deploy.cli.exchange.scope import special_codes

_PARTS: dict[FormatName, str] = {
    "xlsform": "{name}/{part}",
    "limesurvey": "{name}[{part}]",
    "redcap": "{name}___{part}",
    "qualtrics": "{name}_{part}",
    "surveyjs": "{name}.{part}",
}
"""The column of an option, or of a row."""


def renamed(
    question: ForeignQuestion, id: str, codes: Mapping[str, str], rows: Mapping[str, str], format: FormatName
) -> Iterator[tuple[str, str]]:
    """Pairs of old and new: `edu2`, `Edu2`; of an option or a row `likes/a`, `Likes.a`; of a code that is another one `edu2=3`, `Edu2=dk`.

    Where one code of a question has another name, all its codes are given.
    """
    shape = _PARTS[format]
    yield question.name, id
    if question.kind == "multiple":
        yield from ((shape.format(name=question.name, part=old), f"{id}.{new}") for old, new in codes.items())
    for row in question.rows:
        columns = dict.fromkeys([*row.aliases, shape.format(name=question.name, part=row.code)])
        yield from ((column, f"{id}.{rows[row.code]}") for column in columns if column != question.name)
    for option in question.options:
        if option.specify and question.kind in ("single", "multiple"):
            other = shape.format(name=question.name, part="other") if format == "limesurvey" else option.text_name
            yield from ((old, f"{id}_{codes[option.code]}") for old in dict.fromkeys([other, f"{question.name}_other"]) if old)
    yield from ((f"{question.name}={old}", f"{id}={new}") for old, new in special_codes(question).items())
    if any(old != new for old, new in codes.items()):
        yield from ((f"{question.name}={old}", f"{id}={new}") for old, new in codes.items())
