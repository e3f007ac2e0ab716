"""What a module claims of itself is what it is held to."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OF_A_SERVICE = {"Settings", "Store"}
"""Each service has one of its own; nobody imports another service's."""
OF_THE_API = {"Problem", "Submission"}
"""The shapes of these in the OpenAPI document, whose schemas are named by their classes, beside the classes that work."""


def _said() -> set[str]:
    """Modules whose first paragraph says that they are pure."""
    said: set[str] = set()
    for folder in ("proto", "services", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            first = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
            if "Pure." in first:
                said.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return said


def _held() -> set[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["name"].startswith("Pure modules")]
    return set(pure["source_modules"])


def test_every_module_that_says_it_is_pure_is_held_to_it() -> None:
    held = _held()
    parents = {module: {module.rsplit(".", cut)[0] for cut in range(module.count(".") + 1)} for module in _said()}
    assert [module for module, seats in sorted(parents.items()) if not seats & held] == []


def test_every_module_that_is_held_to_be_pure_says_so() -> None:
    said = _said()
    assert [module for module in sorted(_held()) if module not in said] == []


def test_a_class_name_says_which_class_is_meant() -> None:
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for folder in ("proto", "services", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    modules[node.name].add(path.relative_to(ROOT).as_posix())
    assert len(modules) > 300
    assert {name: sorted(paths) for name, paths in modules.items() if len(paths) > 1 and name not in OF_A_SERVICE | OF_THE_API} == {}
    for name in OF_A_SERVICE:
        assert all(path == f"services/{path.split('/')[1]}/{name.lower()}.py" for path in modules[name])
