"""An immutable map from 16-byte names to values, as sorted bytes. Neither on disk nor in memory does it show insertion order. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NAME = 16
"""Bytes of a name."""


@dataclass(frozen=True)
class SortedNames:
    """`width`: bytes of every value."""

    width: int
    data: bytes = b""

    def __len__(self) -> int:
        return len(self.data) // self._size

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for start in range(0, len(self.data), self._size):
            yield self.data[start : start + NAME], self.data[start + NAME : start + self._size]

    def get(self, name: bytes) -> bytes | None:
        start = _start(self.data, self._size, name)
        return self.data[start + NAME : start + self._size] if self.data.startswith(name, start) else None

    def changed(self, entries: Mapping[bytes, bytes]) -> SortedNames:
        """A new map with these entries added or replaced."""
        parts, last = list[bytes](), 0
        for name in sorted(entries):
            start = _start(self.data, self._size, name)
            parts += [self.data[last:start], name + entries[name]]
            last = start + self._size * self.data.startswith(name, start)
        return SortedNames(self.width, b"".join([*parts, self.data[last:]]))

    @property
    def _size(self) -> int:
        return NAME + self.width


def _start(data: bytes, size: int, name: bytes) -> int:
    """The offset in `data` where the entry of this name begins, or would begin."""
    return size * bisect_left(range(len(data) // size), name, key=lambda i: data[i * size : i * size + NAME])
