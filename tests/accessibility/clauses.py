"""The clauses that the statement tells about: EN 301 549 V3.2.1, chapter 9 (which is WCAG 2.1, A and AA), and what WCAG 2.2 adds.

Numbers and names are those of the standards.
"""

from __future__ import annotations

NAMES = {
    "9.1.1.1": "Non-text content",
    "9.1.2.1": "Audio-only and video-only (prerecorded)",
    "9.1.2.2": "Captions (prerecorded)",
    "9.1.2.3": "Audio description or media alternative (prerecorded)",
    "9.1.2.4": "Captions (live)",
    "9.1.2.5": "Audio description (prerecorded)",
    "9.1.3.1": "Info and relationships",
    "9.1.3.2": "Meaningful sequence",
    "9.1.3.3": "Sensory characteristics",
    "9.1.3.4": "Orientation",
    "9.1.3.5": "Identify input purpose",
    "9.1.4.1": "Use of colour",
    "9.1.4.2": "Audio control",
    "9.1.4.3": "Contrast (minimum)",
    "9.1.4.4": "Resize text",
    "9.1.4.5": "Images of text",
    "9.1.4.10": "Reflow",
    "9.1.4.11": "Non-text contrast",
    "9.1.4.12": "Text spacing",
    "9.1.4.13": "Content on hover or focus",
    "9.2.1.1": "Keyboard",
    "9.2.1.2": "No keyboard trap",
    "9.2.1.4": "Character key shortcuts",
    "9.2.2.1": "Timing adjustable",
    "9.2.2.2": "Pause, stop, hide",
    "9.2.3.1": "Three flashes or below threshold",
    "9.2.4.1": "Bypass blocks",
    "9.2.4.2": "Page titled",
    "9.2.4.3": "Focus order",
    "9.2.4.4": "Link purpose (in context)",
    "9.2.4.5": "Multiple ways",
    "9.2.4.6": "Headings and labels",
    "9.2.4.7": "Focus visible",
    "9.2.5.1": "Pointer gestures",
    "9.2.5.2": "Pointer cancellation",
    "9.2.5.3": "Label in name",
    "9.2.5.4": "Motion actuation",
    "9.3.1.1": "Language of page",
    "9.3.1.2": "Language of parts",
    "9.3.2.1": "On focus",
    "9.3.2.2": "On input",
    "9.3.2.3": "Consistent navigation",
    "9.3.2.4": "Consistent identification",
    "9.3.3.1": "Error identification",
    "9.3.3.2": "Labels or instructions",
    "9.3.3.3": "Error suggestion",
    "9.3.3.4": "Error prevention (legal, financial, data)",
    "9.4.1.1": "Parsing",
    "9.4.1.2": "Name, role, value",
    "9.4.1.3": "Status messages",
    "11.7": "User preferences",
    "WCAG 2.4.11": "Focus not obscured (minimum)",
    "WCAG 2.5.7": "Dragging movements",
    "WCAG 2.5.8": "Target size (minimum)",
    "WCAG 3.2.6": "Consistent help",
    "WCAG 3.3.7": "Redundant entry",
    "WCAG 3.3.8": "Accessible authentication (minimum)",
}


ABSENT = frozenset({"9.1.2.1", "9.1.2.2", "9.1.2.3", "9.1.2.4", "9.1.2.5", "9.1.4.2"})
"""About audio and video, of which a test sees that there is none."""


def of_tags(tags: list[str]) -> list[str]:
    """The clauses that an axe rule is about: by its tag "EN-9.1.1.1", or "wcag258" for what only WCAG 2.2 has."""
    found = [tag.removeprefix("EN-") for tag in tags if tag.startswith("EN-") and tag.removeprefix("EN-") in NAMES]
    for tag in tags:
        if tag.startswith("wcag") and tag[4:].isdigit() and len(tag) >= 7:
            name = f"WCAG {tag[4]}.{tag[5]}.{tag[6:]}"
            found += [name] if name in NAMES else []
    return found
