"""A canvas for SVG: measured and wrapped text, bars, lines in the colours of the dashboard. Pure.

The SVG contains its colours, fonts and texts, so it looks the same in a report as on a page. It has no style sheet, script or address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

PAPER, WASH, INK, QUIET, LINE, HAIR, ACCENT = "#fbfaf7", "#f1efe8", "#16202b", "#414d59", "#76808a", "#d8d5cc", "#0b5357"
STEPS = {"s1": "#8c4a10", "s2": "#d09a55", "s3": "#b9b6ad", "s4": "#58a39c", "s5": "#0b5f5e", "s0": "#e3e0d8"}
SHADES = (PAPER, "#eaf1ef", "#d6e6e3", "#bfd9d5", "#a5cbc5", "#8abcb5")
"""The light colours of `platea.css` and `live.css`: reports are printed on paper."""
FACE = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
LEADING = 1.35


def plain(text: str) -> str:
    """Returns a text of the interface without markup, and without characters that XML cannot hold."""
    bare = text.striptags() if isinstance(text, Markup) else str(text)
    return "".join(c for c in bare if c >= " " or c in "\t\n")


_NARROW, _WIDE = frozenset("iljtfrI.,:;'!|()[]/- "), frozenset("mwMWОЩШЖЮ@%—…")


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Returns the approximate width of a text in pixels, rather too large: every system has another font."""
    ems = sum(0.32 if c in _NARROW else 0.9 if c in _WIDE else 0.68 if c.isupper() else 0.56 for c in text)
    return ems * size * (1.06 if bold else 1.0)


def wrapped(text: str, size: float, width: float, most: int = 99, bold: bool = False) -> list[str]:
    """Returns the text in at most `most` lines of this width. A text that does not fit ends in an ellipsis."""
    lines, line = list[str](), ""
    for word in plain(text).split():
        longer = f"{line} {word}".strip()
        if line and width_of(longer, size, bold) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines = [_cut(line_text, size, width, bold) for line_text in [*lines, line] if line_text]
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(lines[most - 1] + "…" * 9, size, width, bold)]
    return lines


def _cut(line: str, size: float, width: float, bold: bool) -> str:
    if width_of(line, size, bold) <= width and not line.endswith("……"):
        return line
    line = line.rstrip("…")
    while line and width_of(line + "…", size, bold) > width:
        line = line[:-1]
    return line.rstrip() + "…"


@dataclass(frozen=True)
class Chart:
    """A finished SVG. `width`, `height`: CSS pixels."""

    svg: str
    width: int
    height: int


@dataclass
class Canvas:
    width: float
    parts: list[str] = field(default_factory=list[str])

    def text(
        self,
        x: float,
        y: float,
        content: str,
        size: float = 15,
        *,
        bold: bool = False,
        fill: str = INK,
        anchor: str = "start",
        turn: float = 0,
    ) -> None:
        """`y` is the base line."""
        if not content:
            return
        weight = ' font-weight="600"' if bold else ""
        turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        body = escape(plain(content))
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{weight} fill="{fill}"{where}{turned}>{body}</text>')

    def lines(self, x: float, y: float, content: list[str], size: float = 15, *, bold: bool = False, fill: str = INK) -> float:
        """Draws lines below each other, and returns the y of the next."""
        for line in content:
            self.text(x, y + size, line, size, bold=bold, fill=fill)
            y += size * LEADING
        return y

    def paragraph(self, y: float, content: str, size: float = 15, *, bold: bool = False, fill: str = INK, margin: float = 0) -> float:
        inside = self.width - 2 * margin
        return self.lines(margin, y, wrapped(content, size, inside, bold=bold), size, bold=bold, fill=fill)

    def rect(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        if width > 0:
            self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" fill="{fill}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, width: float = 1) -> None:
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" stroke-width="{width:g}"/>')

    def hatched(self, x: float, y: float, width: float, height: float) -> None:
        """Draws a withheld value: it is neither a zero nor a gap."""
        shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        self.parts.append(f'<rect {shape} fill="url(#hatch)" stroke="{LINE}" stroke-width="1"/>')

    def finished(self, height: float, title: str, description: str, language: str) -> Chart:
        width, height = round(self.width), round(height)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="title description" lang="{language}" xml:lang="{language}" font-family={quoteattr(FACE)}>'
            f'<title id="title">{escape(plain(title))}</title><desc id="description">{escape(plain(description))}</desc>'
            '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="7" height="7" fill="{PAPER}"/>'
            f'<line x1="0" y1="0" x2="0" y2="7" stroke="{LINE}" stroke-width="3"/></pattern></defs>'
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>'
        )
        return Chart(head + "".join(self.parts) + "</svg>\n", width, height)
