"""What another format cannot say of a questionnaire: the keys that come back otherwise than they went, carried beside it. Pure."""

from __future__ import annotations

import re
from typing import Any, cast

from proto.authoring.yaml_nodes import Listing, Mapping, Node, Scalar, tree
from proto.instrument import Instrument

Document = dict[str, Any]
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?e-?[0-9]{1,2}")
_ALWAYS = ("privacy", "stats", "id", "var", "section")
"""Keys that would be guessed anew, and are never left to a guess."""


def document(text: str, instrument: Instrument) -> Document:
    """An author's file as a mapping: options written out, tables of hierarchies written out, without what is not enabled."""
    loaded = cast("Document", _plain(tree(text)))
    resolved = {question.id: question for question in instrument.questions}
    questions: list[Document] = []
    for entry in cast("list[Document]", loaded["questions"]):
        if entry.get("type") == "note":
            questions.append(entry)
        elif entry["id"] in resolved:
            questions.append(_written_out(entry, resolved[entry["id"]]))
    loaded["questions"] = questions
    loaded.pop("scales", None)
    for name, written in cast("Document", loaded.get("hierarchies", {})).items():
        if "table" in written:
            loaded["hierarchies"][name] = {
                **{key: value for key, value in written.items() if key != "table"},
                "map": {code: list(values) for code, values in instrument.hierarchies[name].table.items()},
            }
    policy = loaded.get("policy", {})
    for key in ("epsilon", "delta"):
        if isinstance(policy.get(key), str) and _SCIENTIFIC.fullmatch(policy[key]):
            policy[key] = float(policy[key])
    return loaded


def _plain(node: Node) -> Any:
    """What stands at a node, as the check of authors' files reads it."""
    match node:
        case Scalar():
            return node.value()[1]
        case Listing():
            return [_plain(item) for item in node.items]
        case Mapping():
            return {key.text: _plain(value) for key, value in node.entries}


def _written_out(entry: Document, question: Any) -> Document:
    if not {"scale", "options_from"} & entry.keys():
        return entry
    options = [{"code": option.code, **option.text, **({"exclusive": True} if option.exclusive else {})} for option in question.options]
    return {**{key: value for key, value in entry.items() if key not in ("scale", "options_from")}, "options": options}


def kept(original: Document, reread: Document | None, names: dict[str, str]) -> tuple[dict[str, Document], Document]:
    """The keys to carry of each question, by the name it has in the other format, and of the survey.

    `names` gives the foreign name of each question and note by its id. A key that only came back is carried as None.
    """
    back = {str(entry.get("var", entry["id"])).lower(): entry for entry in (reread or {}).get("questions", [])}
    called = {entry["id"]: id for id, name in names.items() if (entry := back.get(name.lower())) is not None}
    questions: dict[str, Document] = {}
    for entry in cast("list[Document]", original["questions"]):
        name = names[entry["id"]]
        found = _with_ids(back.get(name.lower(), {}), called)
        rule = {"show_if": entry.get("show_if")} if found.get("enabled") is False else {}  # it was refused: what is carried may explain it
        questions[name] = _differing(entry, found) | rule | {key: entry[key] for key in _ALWAYS if key in entry}
    top = {key: value for key, value in original.items() if key != "questions"}
    came = {key: value for key, value in (reread or {}).items() if key != "questions"}
    survey = _differing(top, came) | {key: top[key] for key in ("id", "languages", "source_language", "sections")}
    return questions, survey


def _differing(entry: Document, found: Document) -> Document:
    changed = {key: value for key, value in entry.items() if key not in found or not _same(found[key], value)}
    return changed | dict.fromkeys(key for key in found if key not in entry and key != "#")


def _with_ids(value: Any, called: dict[str, str]) -> Any:
    """Rules with the ids that their questions had before."""
    if isinstance(value, list):
        return [_with_ids(item, called) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    mapping = cast("Document", value)
    return {
        key: called.get(inner, inner) if key in ("q", "other") and isinstance(inner, str) else _with_ids(inner, called)
        for key, inner in mapping.items()
    }


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
