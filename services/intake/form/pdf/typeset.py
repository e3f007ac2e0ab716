"""Typesets a document as a tagged PDF (PDF/UA-1) with bundled fonts: the same bytes for the same document, on every machine.

It does so in a process of its own, behind everything else: `python -m services.intake.form.pdf.typeset` takes JSON and gives PDF. The
library keeps what it has set for the next time; with the process, the answers and the memory go.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from importlib.resources import files
from pathlib import Path

PATIENCE = 30.0
ROUNDS = 6
"""How often it is tried: the library names what no font can show, at times not all at once."""
_MISSING = re.compile(r'the text `"((?:\\.|[^"\\])+)"` could not be displayed')


class NotTypeset(Exception):
    """It took too long, or failed. Why is not said: the library's messages tell what is in the document."""


async def typeset(document: bytes) -> bytes:
    """The PDF of a `Document` as JSON. Raises NotTypeset."""
    pipe, silent = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        setting = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, stdin=pipe, stdout=pipe, stderr=silent)
    except OSError:  # no memory or no place for another process
        raise NotTypeset from None
    try:
        async with asyncio.timeout(PATIENCE):
            pdf, _ = await setting.communicate(document)
    except TimeoutError:
        raise NotTypeset from None
    finally:
        if setting.returncode is None:
            setting.kill()
            await setting.wait()
    if setting.returncode or not pdf:
        raise NotTypeset
    return pdf


def draw(document: str) -> bytes:
    """The PDF. What no font can show stands in it by its number, such as [U+1F600], so that nothing is lost unseen."""
    # Imported where it is used: the services themselves have no use for 80 MB of it.
    import font_source_sans_pro
    import typst

    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(files(font_source_sans_pro) / "files")])
    template = (Path(__file__).parent / "document.typ").read_bytes()
    for left in reversed(range(ROUNDS)):
        try:
            return typst.compile(template, font_paths=fonts, sys_inputs={"document": document}, pdf_standards="ua-1", timestamp=0)
        except typst.TypstError as error:
            missing = missing_in(error.diagnostic)
            if not missing or not left:
                raise
            document = document.translate({ord(sign): f"[U+{ord(sign):04X}]" for sign in missing})
    raise AssertionError


def missing_in(diagnostic: str) -> set[str]:
    """The characters that no font can show, as the library names them."""
    named = "".join(_MISSING.findall(diagnostic))
    return {sign for sign in re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), named) if sign > "\x7f"}


if __name__ == "__main__":
    os.nice(10)
    with contextlib.suppress(OSError):  # where memory ends, this process goes and not the one that takes answers
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    sys.stdout.buffer.write(draw(sys.stdin.buffer.read().decode()))
