"""What a screen reader finds in a PDF, read by libraries that know nothing of how ours are made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2


class TaggedPdf:
    """`tags`: the types of all structure elements in reading order, such as "H1"; `text`: what stands on the pages, blanks as one.
    `size`: of the first page, in points."""

    def __init__(self, content: bytes) -> None:
        self.pdf = pikepdf.open(BytesIO(content))
        self.root: Any = self.pdf.Root
        self.tags = list(_tags(self.root.StructTreeRoot))
        self.size = tuple(round(side) for side in pypdfium2.PdfDocument(content)[0].get_size())
        pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content)]
        self.pages = [re.sub(r"\s+", " ", re.sub("[\x02\ufffe]", "", text)) for text in pages]
        self.text = " ".join(self.pages)

    @property
    def fonts(self) -> list[Any]:
        found = [item for item in self.pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"]
        return list(found)

    @property
    def unpacked(self) -> bytes:
        """The whole file with nothing compressed: whatever is hidden in it."""
        plain = BytesIO()
        self.pdf.save(plain, stream_decode_level=pikepdf.StreamDecodeLevel.all, compress_streams=False)
        return plain.getvalue()

    def holds(self, text: str) -> bool:
        """Whether the text stands on the pages, wherever its lines were broken."""
        return "".join(text.split()) in "".join(self.text.split())


def _tags(element: Any) -> Iterator[str]:
    if isinstance(element, pikepdf.Array):
        for child in element:
            yield from _tags(child)
    elif isinstance(element, pikepdf.Dictionary):
        if "/S" in element:
            yield str(element.S).removeprefix("/")
        yield from _tags(element.get("/K"))
