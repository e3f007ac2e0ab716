"""Templates of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from proto.instrument import Instrument
from services.analysis.dashboard.words import DashboardWords
from services.runtime.localised_text import lang
from services.runtime.translations import native_name

_here = Path(__file__).parent
_pages = Environment(
    loader=FileSystemLoader(_here / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_pages.globals["lang_of"] = lang  # pyright: ignore[reportArgumentType]
_pages.filters["plain"] = str.__str__
STATIC = _here / "static"


def render(template: str, words: DashboardWords, **values: object) -> str:
    return _pages.get_template(template).render(say=words, language=words.language, **values)


def of_survey(instrument: Instrument, words: DashboardWords) -> dict[str, object]:
    """Returns what the frame of every page about a survey needs. `fallen_back`: the interface lacks the survey's language."""
    return {
        "title": words.text(instrument.title),
        "survey": instrument.id,
        "path": f"/live/{instrument.id}",
        "offered": offered(instrument.languages),
        "fallen_back": words.interface != words.language,
    }


def offered(languages: Mapping[str, object] | tuple[str, ...]) -> list[tuple[str, str]]:
    return [(code, native_name(code)) for code in languages]
