"""The bytes of a text file as UTF-8: its mark decides, else what the author says. Pure."""

from __future__ import annotations

import codecs

from deploy.cli.datafile.sheet import UnreadableFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a mark"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_UTF8 = frozenset({"utf-8", "utf8", "utf-8-sig"})


def decoded(data: bytes, encoding: str | None) -> tuple[bytes, str]:
    """Returns UTF-8 bytes without a mark, and the name of the encoding. Raises UnreadableFile with line and byte.

    A file without a mark is taken for UTF-8 unless `encoding` names another; it is not checked here, so that one bad row costs one row.
    """
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            rest = data.removeprefix(mark)
            return (rest, name) if codec == "utf-8" else (_converted(rest, codec, name), name)
    if encoding is not None and encoding.lower() not in _UTF8:
        return _converted(data, encoding, encoding), encoding
    if b"\0" in data[:1000]:
        raise UnreadableFile("the file is not UTF-8 text; is it UTF-16? Then say --encoding utf-16-le")
    return data, "UTF-8"


def _converted(data: bytes, codec: str, name: str) -> bytes:
    try:
        return data.decode(codec).removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnreadableFile(f"line {line} is not {name}: byte {error.start + 1} of the file stands for no character") from None
    except (LookupError, UnicodeEncodeError):
        raise UnreadableFile(f"{name!r} is no encoding that is known here, such as cp1252 or latin-1") from None
