"""One body for many readers: compressed once, for those who take it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.encoded_body import STREAM_HEADER, WORTH, Encoded, block, takes_gzip


@given(st.lists(st.binary(max_size=3000), max_size=6))
def test_parts_compressed_once_make_a_stream_from_any_of_them_on(parts: list[bytes]) -> None:
    for start in range(len(parts) + 1):
        reading = zlib.decompressobj(zlib.MAX_WBITS | 16)
        heard = [reading.decompress(STREAM_HEADER)] + [reading.decompress(block(part)) for part in parts[start:]]
        assert heard[1:] == parts[start:]  # each is there as soon as it has arrived


@pytest.mark.parametrize(
    ("lines", "takes"),
    [
        ([], False),
        (["gzip, deflate, br, zstd"], True),
        ([""], False),
        (["identity"], False),
        (["gzip;q=0"], False),
        (["gzip; q=0.000"], False),
        (["gzip;q=0, *"], False),
        (["*"], True),
        (["*;q=0"], False),
        (["x-gzip"], True),
        (["br;q=1, GZIP;q=0.5"], True),
        (["br", "gzip"], True),
        (["gzip;q=x"], False),
        (["not-gzip"], False),
    ],
)
def test_only_who_takes_gzip_gets_it(lines: list[str], takes: bool) -> None:
    assert takes_gzip(lines) is takes


@given(st.binary(max_size=3000), st.binary(max_size=3000))
def test_two_bodies_have_one_tag_only_if_they_are_the_same(one: bytes, other: bytes) -> None:
    assert (Encoded.of(one).tag == Encoded.of(other).tag) is (one == other)
    assert gzip.decompress(Encoded.of(one).zipped) == one


def test_what_is_small_or_compressed_already_is_not_compressed() -> None:
    assert Encoded.of(b"x" * WORTH).is_worth_zipping
    assert not Encoded.of(b"x" * (WORTH - 1)).is_worth_zipping
    assert not Encoded.of(b"x" * WORTH, "image/png").is_worth_zipping
