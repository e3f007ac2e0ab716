"""What the first line of a module claims is what `make check` holds it to."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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
