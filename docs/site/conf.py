"""How Sphinx makes the documentation site of `docs/`: pages that load nothing from elsewhere and run under the platform's own policy."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx

project = html_title = "Platea"
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["site", "contracts/*"]
nitpicky = True
smartquotes = False

html_theme = "furo"
html_theme_options = {"top_of_page_buttons": []}
templates_path = ["templates"]
html_static_path = ["static"]
html_favicon = "static/mark.svg"
html_css_files = ["site.css"]
html_js_files = [("scrolling.js", {"defer": "defer"})]
html_use_index = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
_TOP_PAGES = {"docs/security.md": "SECURITY.md", "docs/changelog.md": "CHANGELOG.md", "docs/contributing.md": "CONTRIBUTING.md"}
"""Pages of the site whose text stands in the top folder of the checkout. In `docs/` each is a link, for who reads there."""
_SITE_PAGES = {source: page for page, source in _TOP_PAGES.items()}


def stay_within(_: Sphinx, name: str, source: list[str]) -> None:
    """Links between pages lead to pages of the site; links to the source code become its name, since the site has no code."""
    page = f"docs/{name}.md"
    read = _TOP_PAGES.get(page, page)
    text = (ROOT / read).read_text() if page in _TOP_PAGES else source[0]

    def kept(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(read), link[2]))
        path = _SITE_PAGES.get(path, path)
        there = posixpath.relpath(path, posixpath.dirname(page))
        return f"[{link[1]}]({there}{link[3] or ''})" if path.startswith("docs/") and (ROOT / path).is_file() else link[1]

    source[0] = _LINK.sub(kept, text)


def setup(app: Sphinx) -> None:
    app.connect("source-read", stay_within)
