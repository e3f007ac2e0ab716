"""Reads settings from environment variables PLATEA_…; raises with the name of a misspelt one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)
PREFIX = "PLATEA_"

_ADDRESS, _NUMBER, _URL = r"[0-9A-Fa-f.:]+", r"\d+", r"(?:tcp|udp|sctp)://\S+"
_INJECTED = re.compile(
    rf"PLATEA_(?:\w+_)?(?:SERVICE_HOST={_ADDRESS}|SERVICE_PORT(?:_\w+)?={_NUMBER}|PORT(?:_\d+_(?:TCP|UDP|SCTP))?={_URL}"
    rf"|PORT_\d+_(?:TCP|UDP|SCTP)_(?:PROTO=(?:tcp|udp|sctp)|PORT={_NUMBER}|ADDR={_ADDRESS}))"
)
"""What Kubernetes tells every container about a Service named `platea` or `platea-…` in its namespace, as name=value."""


class UnknownSetting(ValueError):
    """A setting is misspelt, missing or has a value that does not fit; the message is one sentence for the operator."""


def read(kind: type[S], environment: Mapping[str, str]) -> S:
    """Field `nats_url` is read from PLATEA_NATS_URL. Raises UnknownSetting. Values are never quoted: they may be secret.

    What Kubernetes injects is passed over, also under the name of a setting: PLATEA_PORT=tcp://10.0.0.1:8000 is nobody's wish.
    """
    fields = {PREFIX + name.upper(): name for name in kind.__struct_fields__}
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and not _INJECTED.fullmatch(f"{name}={value}")}
    for name in given.keys() - fields.keys():
        close = difflib.get_close_matches(name, fields, 1)
        advice = f"did you mean {close[0]}?" if close else "known are " + ", ".join(sorted(fields)) + "."
        raise UnknownSetting(f"{name} is not a setting of this service: {advice}")
    try:
        return msgspec.convert({fields[name]: value for name, value in given.items()}, kind, strict=False, dec_hook=_build)
    except msgspec.ValidationError as error:
        raise UnknownSetting(_sentence(str(error))) from None


def _build(kind: type[Any], value: Any) -> Any:
    """Kinds that msgspec does not know: a path from its text."""
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)


def _sentence(error: str) -> str:
    for name in error.split("`"):
        bare = name.removeprefix("$.")
        if bare.isidentifier() and "required field" in error:
            return f"{PREFIX}{bare.upper()} is missing."
        if name.startswith("$."):
            return f"{PREFIX}{bare.upper()} does not fit: {error.split(' - at')[0].lower()}."
    return error
