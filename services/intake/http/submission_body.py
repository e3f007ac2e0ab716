"""The body of a response as the OpenAPI document describes it, for all surveys; `proto.answers` reads it by the instrument of one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from proto import bounds
from services.runtime.openapi import REF

Answer = Annotated[
    str | float | list[str] | dict[str, str],
    Meta(description="single: a code; multiple and ranking: codes; matrix: a code per row; numbers; dates and texts: a string."),
]


class Submission(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    answers: Annotated[
        dict[str, Annotated[Any, Meta(extra_json_schema={"$ref": REF.format(name="Answer")})]],
        Meta(description="By question id. A question that skip logic hides must be absent."),
    ]
    language: Annotated[str | None, Meta(description="In which language the questions were read.")] = None
    version: Annotated[str | None, Meta(description="Of the instrument; the current one if left out.")] = None
    consent: Annotated[bool, Meta(extra_json_schema={"const": True})]


_LIMIT = (
    f"At most {bounds.LEAST} bytes, and twelve for each character that the texts of the survey may have. "
    "Which answers fit is told by its instrument."
)
TAKEN: dict[str, Any] = {"body": Annotated[Submission, Meta(description=_LIMIT)], "shapes": {"Answer": Answer}}
"""For `operation`."""
