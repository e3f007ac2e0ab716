"""What the organiser has not said yet in the accessibility statement of a survey. Pure."""

from __future__ import annotations

from proto.instrument import Accessibility, Instrument

_PARTS = {
    "contact": "whom to tell what does not work",
    "enforcement": "which body to turn to if the answer does not satisfy",
}


def missing(instrument: Instrument) -> list[str]:
    """The parts of the model of Decision (EU) 2018/1523 that only the organiser knows and the instrument leaves open, in words."""
    stated = instrument.accessibility or Accessibility()
    return [what for name, what in _PARTS.items() if not getattr(stated, name)]
