"""Codec for states: a JSON head, then matrices of whole numbers as compressed bytes. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

H = TypeVar("H", bound=msgspec.Struct)


class UnreadableState(ValueError):
    """The bytes are no state, or one that counts in the columns of another code book."""


def pack(head: msgspec.Struct, parts: Iterable[NDArray[Any]]) -> bytes:
    """Returns the bytes of a head, and of arrays of whole numbers in their own dtype, in row order."""
    start = msgspec.json.encode(head)
    body = zlib.compress(b"".join(_planes(part) for part in parts), level=1)
    return len(start).to_bytes(4, "big") + start + body


def unpack(data: bytes, head: type[H]) -> tuple[H, PackedArrays]:
    """Returns the head, and the body to take arrays from. Raises UnreadableState."""
    try:
        end = 4 + int.from_bytes(data[:4], "big")
        return msgspec.json.decode(data[4:end], type=head), PackedArrays(zlib.decompress(data[end:]))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise UnreadableState(type(error).__name__) from None


class PackedArrays:
    """The packed arrays, to be taken in the order in which they were packed."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __len__(self) -> int:
        return len(self._data)

    def take(self, count: int, dtype: str) -> NDArray[Any]:
        """Returns the next array: `count` numbers of the dtype that they were packed in, such as "<i8". Shape (count,)."""
        size = np.dtype(dtype).itemsize
        planes = np.frombuffer(self._data, np.uint8, count * size, self._at).reshape(size, count)
        self._at += count * size
        return np.ascontiguousarray(planes.T).view(dtype).reshape(-1).astype(np.dtype(dtype).newbyteorder("="))


def upper(matrix: NDArray[Any]) -> NDArray[Any]:
    """Returns the upper triangle of a symmetric matrix, row by row. Shape (n (n + 1) / 2,)."""
    return matrix.reshape(-1)[_triangle(len(matrix))]


def symmetric(triangle: NDArray[Any], width: int) -> NDArray[Any]:
    """Returns the symmetric matrix with this upper triangle. Shape (width, width)."""
    matrix = np.zeros((width, width), triangle.dtype)
    matrix.reshape(-1)[_triangle(width)] = triangle
    return np.where(np.tri(width, k=-1, dtype=np.bool_), matrix.T, matrix)


@lru_cache(maxsize=8)
def _triangle(width: int) -> NDArray[np.intp]:
    rows, columns = np.triu_indices(width)
    return rows * width + columns


def _planes(numbers: NDArray[Any]) -> bytes:
    """Returns all first bytes, then all second bytes, and so on. Small integers give whole planes of zeros, which compress well."""
    width = numbers.dtype.itemsize
    return numbers.astype(numbers.dtype.newbyteorder("<")).view(np.uint8).reshape(-1, width).T.tobytes()
