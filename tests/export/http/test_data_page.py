"""The page of releases tells people all they need: what, how protected, how to cite, fetch, open and check, in their language."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser

from proto.languages import choose
from proto.manifest import File, Manifest
from services.export.http import data_page
from services.export.http.interface import CATALOGUES, Say, offered
from services.export.store import StoredRelease
from tests.accessibility.axe import objections
from tests.builders.bundled import questionnaire

ROOT = Path(data_page.__file__).parents[3]
STYLES = ("services/intake/http/static/platea.css", "services/export/http/static/data.css")
KEY = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="
NAMES = ("data.csv", "data.csv-metadata.json", "data.parquet", "data.sav", "codebook.html", "LICENSE")


def entered(number: int, withdrawn: int | None, suppressed: int = 0) -> StoredRelease:
    files = tuple(File(name, 1_400_000, f"{place:064x}") for place, name in enumerate(NAMES))
    policy: dict[str, int | float | str] = {"k": 10, "smallest_group": 11, "smallest_l": 2, "largest_t": 0.312, "smallest_population": 6}
    policy["withheld_cells"] = 1204
    return StoredRelease(Manifest(number, "ai-security", "0.1.0", "public", policy, "0.1.0", 1534, 1500, suppressed, files), withdrawn)


def rendered(releases: list[StoredRelease], withdrawn: int = 0, language: str = "en") -> str:
    return data_page.render(questionnaire(), releases, withdrawn, language, "https://survey.example.eu", KEY)


def test_the_catalogues_say_the_same_things() -> None:
    blanks = {
        code: {key: sorted(set(re.findall(r"{(\w+)}", str(value)))) for key, value in each.strings.items()}
        for code, each in CATALOGUES.items()
    }
    assert blanks["fr"] == blanks["en"]
    assert blanks["es"] == blanks["en"]


def test_the_language_is_the_one_asked_for_or_the_browsers_or_the_surveys_first() -> None:
    known = offered(questionnaire())
    assert set(known) <= set(CATALOGUES)
    assert choose(known, "fr", "es") == "fr"
    assert choose(known, "xx", "pl, es-ES;q=0.8, en;q=0.5") == "es"
    assert choose(known, None, "") == known[0]


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_release_tells_how_it_is_protected_cited_fetched_opened_and_checked(language: str) -> None:
    page, say = rendered([entered(3, 0, suppressed=34)], 0, language), Say(language)
    assert f'<html lang="{language}">' in page
    assert say("group", n=10, size=11).replace("'", "&#39;") in page
    assert say("units", n=6).replace("'", "&#39;") in page
    assert say("distance", t=say.hundredths(0.312)).replace("'", "&#39;") in page
    assert say("withheld", n=1204).replace("'", "&#39;") in page
    assert say("left_out", n=34).replace("'", "&#39;") in page
    assert "Release 3 (ai-security, questionnaire 0.1.0) [Data set]. https://survey.example.eu/data/ai-security" in page
    assert "/data/ai-security/3/citation.bib" in page
    assert all(f"{place:064x}" in page for place in range(len(NAMES)))
    assert say.size(1_400_000) in page
    assert KEY in page
    assert f'href="/s/ai-security/accessibility?lang={language}"' in page
    assert "https://survey.example.eu/api/v1/surveys/ai-security/releases/3/release.zip" in page
    assert "<script" not in page


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_release_tells_that_nothing_was_declared_and_where_neighbours_are_told_as_one(language: str) -> None:
    release, say = entered(3, 0), Say(language)
    policy = release.manifest.policy | {"quasi_identifiers": 0, "smallest_group": 1500, "merged_scales": 1}
    sentences = data_page.protection(replace(release.manifest, policy=policy), say)
    assert say("one_group", n=say.number(1500)) in sentences
    assert say("merged", n=1) in sentences
    assert not {say("coarser"), say("group", n=say.number(1499), size=say.number(1500))} & set(sentences)
    assert say("group", n=10, size=11) in data_page.protection(release.manifest, say), "as manifests before told it"


def test_what_was_withdrawn_since_is_flagged_and_the_release_without_it_named() -> None:
    releases = [entered(1, None), entered(2, 3), entered(3, 15)]
    said = data_page.warnings(releases, 15, Say("en"))
    assert said == [
        "",
        "12 responses to this survey were withdrawn since this release. Release 3 leaves them out. Use it for new work.",
        "",
    ]
    later = data_page.warnings(releases, 17, Say("en"))
    assert "14 responses" in later[1]
    assert "The next release will leave them out" in later[1]
    assert "17" not in later[2]
    assert "fewer than 5" in later[2], "who knows that just two left could tell which rows went"
    assert said[1] in rendered(releases, 15)


def test_once_the_answers_are_deleted_no_further_release_is_promised() -> None:
    page = data_page.render(questionnaire(), [entered(1, 3)], 15, "en", "https://survey.example.eu", KEY, datetime.date(2027, 1, 31))
    assert "The answers to this survey were deleted on 31 January 2027" in page
    assert "No later release leaves them out." in page
    assert "The next release" not in page


def test_citations_are_read_by_reference_managers() -> None:
    address = "https://survey.example.eu/data/ai-security"
    manifest = replace(entered(3, 0).manifest, date="2026-11-30")
    work = data_page.work(questionnaire(), manifest, address)
    (item,) = json.loads(work.csl())
    assert (item["type"], item["URL"], item["title"]) == ("dataset", address, work.title)
    assert item["issued"] == {"date-parts": [[2026, 11, 30]]}
    assert f" (2026). {work.title}. Release 3 " in f" {work.line()}"
    own = data_page.work(questionnaire(), replace(manifest, address="https://its.own/data/ai-security"), address)
    assert own.line().endswith("https://its.own/data/ai-security"), "what a release was published with stays"
    bibtex = work.bibtex()
    assert "  year = {2026},\n" in bibtex
    assert f"  url = {{{address}}}\n" in bibtex
    assert bibtex.startswith("@misc{ai-security-3,\n")
    assert bibtex.count("{") == bibtex.count("}")
    assert f"title = {{{{{work.title}}}}}" in bibtex


@pytest.mark.parametrize(("language", "width", "scheme"), [("en", 1280, "light"), ("fr", 360, "dark"), ("es", 360, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(chromium: Browser, language: str, width: int, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for releases in ([entered(1, 0, 34), entered(2, 3), entered(3, 15)], []):
        page.set_content(rendered(releases, 17, language))
        for style in STYLES:
            page.add_style_tag(content=(ROOT / style).read_text("utf-8"))
        page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert objections(page) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()
