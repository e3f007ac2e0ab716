"""Every line that services and commands log is a sentence without values, with fields that the documentation names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def calls() -> Iterator[tuple[str, ast.Call, ast.AST]]:
    """Each call of a logger: its place, the call, and the function it stands in."""
    for path in sorted([*ROOT.glob("proto/**/*.py"), *ROOT.glob("services/**/*.py"), *ROOT.glob("deploy/**/*.py")]):
        module = ast.parse(path.read_text())
        functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for function in functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                    owner = node.func.value
                    if (isinstance(owner, ast.Name) and owner.id == "log") or (isinstance(owner, ast.Attribute) and owner.attr == "_log"):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node, function


def is_fixed(sentence: ast.expr) -> bool:
    """Whether the sentence is the same however often it is logged. Members of `OutageKind` hold sentences."""
    if isinstance(sentence, ast.IfExp):
        return is_fixed(sentence.body) and is_fixed(sentence.orelse)
    is_outage_kind = ast.unparse(sentence) == "kind.value"
    return is_outage_kind or (isinstance(sentence, ast.Constant) and isinstance(sentence.value, str) and "%" not in sentence.value)


def fields(call: ast.Call, function: ast.AST) -> set[str]:
    """The names of the fields of a call, which are a literal there or in a local name."""
    found: set[str] = set()
    for keyword in call.keywords:
        assert keyword.arg == "extra", ast.unparse(call)
        value = keyword.value
        if isinstance(value, ast.Name):
            (value,) = (
                node.value for node in ast.walk(function) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == value.id
            )
        assert isinstance(value, ast.Dict), ast.unparse(call)
        found |= {key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return found


def documented() -> set[str]:
    section = (ROOT / "docs/running.md").read_text().partition("\n## Logs\n")[2].partition("\n## ")[0]
    table = section.partition("| field | |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")}


def test_a_line_is_a_fixed_sentence_and_its_fields_are_in_the_documentation() -> None:
    used: set[str] = set()
    places = 0
    for place, call, function in calls():
        assert len(call.args) == 1, f"{place}: values are fields, not words"
        assert is_fixed(call.args[0]), f"{place}: the sentence differs from time to time"
        used |= fields(call, function)
        places += 1
    assert places > 40
    assert used == documented()
