"""Renders templates with one Jinja2 environment: everything is escaped, an undefined name is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.intake.form.pages.piped_text import attribute
from services.runtime.localised_text import lang

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters |= {"plain": str, "lang": lang, "piped": attribute}


def render(template: str, **values: Any) -> bytes:
    return _environment.get_template(template).render(values).encode()
