"""The author format, `platea-instrument/2`: strict YAML in, an instrument or every fault with its line out.

`read` is pure; tables that an instrument names come in through `include`. `load` and `bundled` are its way to files.
docs/instrument.md describes the format.
"""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from proto.authoring.computed_values import placed
from proto.authoring.desugar import Include, resolve
from proto.authoring.faults import AuthoringFault, Faults, TooManyFaults
from proto.authoring.layout import laid_out
from proto.authoring.parse import read as read_shape
from proto.authoring.placeholders import spelled_out
from proto.authoring.schema import AuthoredFile
from proto.authoring.survey_checks import check
from proto.authoring.weighting import with_weight
from proto.authoring.yaml_nodes import Listing, Mapping, Node, Scalar, UnreadableYaml, tree
from proto.instrument import Instrument

__all__ = ["AuthoringFault", "Include", "bundled", "load", "read"]

_START = re.compile(r"\ufeff?(?:[ \t]*(?:#.*)?\n)*---[ \t]*\n")
"""A line `---` with which a document begins, below comments at most."""


def read(text: str, name: str, include: Include) -> Instrument | list[AuthoringFault]:
    """The instrument, or all its faults in the order of the file. `include` may raise OSError or ValueError."""
    faults = Faults(name)
    try:
        node = tree(text)
        written = read_shape(AuthoredFile, node, faults, _languages(node))
        if written is None:
            return faults.found
        survey = laid_out(with_weight(placed(written, faults), faults), faults)
        instrument = spelled_out(survey, resolve(survey, include, faults), faults)
        check(survey, instrument, faults)
    except UnreadableYaml as unreadable:
        return [AuthoringFault(name, unreadable.line, "", unreadable.message)]
    except TooManyFaults:
        return faults.found
    if faults.found:
        return sorted(faults.found, key=lambda fault: fault.line)
    asked = {question.id for question in survey.questions if question.enabled}
    if not asked:
        return [AuthoringFault(name, faults.line(("questions",)), "/questions", "no question is enabled")]
    return msgspec.structs.replace(instrument, questions=tuple(q for q in instrument.questions if q.id in asked))


def load(path: Path) -> Instrument | list[AuthoringFault]:
    """Reads a file; its tables are looked for beside it, then among those that come with Platea. Raises OSError.

    A second document in the file, after a line `---`, is left to others: the import map that comes with a draft.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [AuthoringFault(path.name, 1, "", "the file is not UTF-8 text", "save it as UTF-8")]

    def include(name: str) -> str:
        beside = path.parent / name
        return (beside if beside.is_file() else _home() / name).read_text(encoding="utf-8")

    match = _START.match(text)
    start = match.end() if match else 0
    return read(text[:start] + text[start:].partition("\n---\n")[0] + "\n", path.name, include)


def bundled() -> dict[str, Path]:
    """The questionnaires that come with Platea: survey id and file."""
    return {path.stem: path for path in sorted((_home() / "instruments").glob("*.yaml"))}


def _home() -> Path:
    with as_file(files("proto")) as home:
        return home


def _languages(node: Node) -> tuple[str, ...]:
    """The declared languages, read ahead because every text is checked against them."""
    entries = {key.text: value for key, value in node.entries} if isinstance(node, Mapping) else {}
    declared, title = entries.get("languages"), entries.get("title")
    if isinstance(declared, Listing) and declared.items:
        words = [item.text for item in declared.items if isinstance(item, Scalar)]
    else:
        words = [key.text for key, _ in title.entries] if isinstance(title, Mapping) else []
    return tuple(dict.fromkeys(word for word in words if re.fullmatch(r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", word)))[:40] or ("en",)
