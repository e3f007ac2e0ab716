"""The tables beside an author's file that names none."""

from __future__ import annotations


def no_table(name: str) -> str:
    raise OSError(name)
