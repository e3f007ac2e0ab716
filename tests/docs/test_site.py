"""The documentation site: every page is linked, no link is dead, and it works under the platform's own policy."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from litestar.testing import TestClient
from playwright.sync_api import Browser

from deploy.cli import platea
from deploy.front import documentation
from proto import author
from proto.instrument import Instrument
from services.runtime.http.security_headers import SECURITY_HEADERS
from tests.pages.served import served

ROOT = Path(__file__).resolve().parents[2]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
PAGES = ["index", "tutorial", "running", "adr/README", "architecture"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it: a warning is a fault."""
    folder = tmp_path_factory.mktemp("docs")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--fresh-env", "--doctree-dir", str(folder / "doctrees")]
    line = [sys.executable, "-m", "sphinx", *options, "--conf-dir", "docs/site", "docs", str(folder / "site")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def site(built: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATEA_TESTED_SITE", str(built))
        with served("tests.docs.served_site") as url:
            yield url


def test_every_page_of_the_documentation_is_a_page_of_the_site(built: Path) -> None:
    written = {str(page.relative_to(ROOT / "docs").with_suffix(".html")) for page in (ROOT / "docs").rglob("*.md")}
    assert written <= {str(page.relative_to(built)) for page in built.rglob("*.html")}
    assert "rolling upgrade" in (built / "changelog.html").read_text(), "the text of the page in the top folder"


def test_no_page_names_another_site_s_files_or_runs_a_script_of_its_own(built: Path) -> None:
    for page in built.rglob("*.html"):
        text = page.read_text()
        assert not re.findall(r'<(?:script|img|iframe|source)[^>]* src="(?:https?:)?//', text), page
        assert not re.findall(r'<link[^>]* href="(?:https?:)?//', text), page
        assert not re.findall(r"<script(?![^>]* src=)[^>]*>|<style|<[^>]* style=| on[a-z]+=\"", text), page


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_and_nothing_is_refused_or_asked_elsewhere(site: str, chromium: Browser, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(site) else said.append(request.url))
    for name in PAGES:
        page.goto(f"{site}/docs/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.goto(f"{site}/docs/search.html?q=withdrawal")
    page.get_by_role("link", name="Promises").first.wait_for(timeout=60_000)
    assert said == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(site: str, chromium: Browser, scheme: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for name in PAGES:
        page.goto(f"{site}/docs/{name}.html")
        page.add_script_tag(content=AXE)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", tags)
        assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found["violations"]] == [], name
    context.close()


def test_the_site_is_served_with_our_headers_and_nothing_beside_it(built: Path) -> None:
    with TestClient(documentation.create_app(built)) as client:
        assert client.get("/docs", follow_redirects=False).headers["location"] == "/docs/index.html"
        page = client.get("/docs/running.html")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert {name: page.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        for path in ("/docs/nowhere.html", "/docs/_static", "/docs/%2e%2e/doctrees/environment.pickle"):
            assert client.get(path).status_code == 404, path


def test_where_it_was_not_built_the_answer_says_what_builds_it(tmp_path: Path) -> None:
    with TestClient(documentation.create_app(tmp_path)) as client:
        answer = client.get("/docs")
    assert answer.status_code == 404
    assert "make docs" in answer.json()["detail"]


def test_the_questionnaire_of_the_tutorial_is_sound_and_its_commands_exist(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text()
    [text] = re.findall(r"```yaml\n(.*?)```", tutorial, re.DOTALL)
    (tmp_path / "square.yaml").write_text(text)
    assert isinstance(author.load(tmp_path / "square.yaml"), Instrument)
    commands = re.findall(r"^ +\.venv/bin/platea (\w+)(?: (check|publish|create|verify))?", tutorial, re.MULTILINE)
    assert len(commands) >= 6
    for name, sub in commands:
        command = platea.get_command(None, name)  # pyright: ignore[reportArgumentType]
        assert command is not None, name
        assert not sub or sub in command.commands, f"{name} {sub}"  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
