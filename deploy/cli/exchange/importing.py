"""A foreign questionnaire as a file of the author format, checked as any other."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deploy.cli.exchange.author_yaml import written
from deploy.cli.exchange.build import build
from deploy.cli.exchange.formats import read
from deploy.cli.exchange.model import Form, FormatName
from deploy.cli.exchange.reading import number_texts
from deploy.cli.exchange.report import Report
from proto import author
from proto.instrument import Instrument

_HEAD = "Imported from {file} ({format}). Whatever is marked `review` is a guess: look at it, then take the mark away."
_TODO = (
    "TODO, which no other tool's file holds: notice (what respondents agree to), data_protection (controller, basis, retention, contact),",
    "accessibility (whom to tell what does not work), levels of the hierarchies, strata, headlines, policy.",
    "docs/instrument.md describes them; `platea survey check` names what is missing.",
)


class Imported(msgspec.Struct):
    yaml: str
    form: Form
    report: Report
    instrument: Instrument | None
    faults: tuple[str, ...]


def imported(
    content: bytes,
    file: str,
    *,
    format: FormatName | None = None,
    id: str = "",
    languages: dict[str, str] | None = None,
    unroll: dict[str, int] | None = None,
) -> Imported:
    """The author's YAML of a foreign file, and what became of it. Raises UnreadableForm."""
    report = Report()
    form = read(content, file, report, format, languages or {}, unroll or {})
    if not form.ours:
        number_texts(form, report)
    document = build(form, report, id)
    while True:
        yaml = _yaml(document, form)
        found = author.read(yaml, "survey.yaml", _no_table)
        if isinstance(found, Instrument):
            return Imported(yaml, form, report, found, ())
        if not _mended(document, [fault.path for fault in found], report, form):
            return Imported(yaml, form, report, None, tuple(f"{fault.message} ({fault.path})" for fault in found))


def _yaml(document: dict[str, Any], form: Form) -> str:
    head = [] if form.kept else [_HEAD.format(file=re.sub(r"\s+", " ", form.file), format=form.format)]
    return written(document, head, [] if form.kept else list(_TODO))


def _mended(document: dict[str, Any], faults: list[str], report: Report, form: Form) -> bool:
    """Takes rules away that the check refuses, with their questions; whether anything was done."""
    done = False
    for path in sorted(faults, reverse=True, key=_numbered):
        parts = path.strip("/").split("/")
        if len(parts) > 4 and parts[0] == "questions" and parts[2] in ("options", "rows") and parts[4] == "show_if":
            done = _without(document["questions"][int(parts[1])], parts[2], int(parts[3]), report, form) or done
        elif len(parts) > 2 and parts[0] == "questions" and parts[2] == "show_if":
            entry = document["questions"][int(parts[1])]
            if "show_if" in entry and entry.get("enabled") is not False:
                del entry["show_if"]
                entry["enabled"] = False
                message = f"the rule of {entry['id']} never holds, or speaks of what is not asked: it is imported as not enabled"
                report.add("refused", "rule-refused", form.file, message, of=entry["id"])
                done = True
        elif parts[0] == "computed" and len(parts) > 1 and document["computed"][int(parts[1])] is not None:
            report.add(
                "refused",
                "formula-refused",
                form.file,
                f"{document['computed'][int(parts[1])]['id']} cannot be computed here: it is left out",
            )
            document["computed"][int(parts[1])] = None
            done = True
        elif parts[0] in ("opens", "closes", "participation") and document.pop(parts[0], None) is not None:
            report.add("review", "setting", form.file, f"{parts[0]} of the source does not fit, and is left out")
            done = True
        elif parts[0] == "quotas" and len(parts) > 1 and document["quotas"][int(parts[1])] is not None:
            message = f"the quota {document['quotas'][int(parts[1])]['id']} does not fit, and is left out"
            report.add("review", "quota", form.file, message)
            document["quotas"][int(parts[1])] = None
            done = True
        elif parts[0] == "soft_checks" and len(parts) > 1 and int(parts[1]) < len(document.get("soft_checks", [])):
            document["soft_checks"][int(parts[1])] = None
            done = True
    for key in ("soft_checks", "computed", "quotas"):
        document[key] = [entry for entry in document.get(key, []) if entry is not None]
        if not document[key]:
            del document[key]
    return done


def _numbered(path: str) -> list[int]:
    return [int(part) for part in path.split("/") if part.isdecimal()]


def _without(entry: dict[str, Any], part: str, place: int, report: Report, form: Form) -> bool:
    """Takes an option or a row away that nobody can see; a question that loses all of them is not asked."""
    listed = entry[part]
    if len(listed) <= 1:
        entry["enabled"] = False
        del listed[place]["show_if"]
        report.add("refused", "filter-refused", form.file, f"no answer shows any of the {part} of {entry['id']}", of=entry["id"])
        return True
    code = listed.pop(place)["code"]
    report.add("review", "never", form.file, f"no answer shows {code} of {entry['id']}: it is left out", of=entry["id"])
    return True


def _no_table(file: str) -> str:
    raise OSError(file)
