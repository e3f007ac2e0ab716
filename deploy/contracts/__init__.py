"""The contracts with the outside, generated from the types that the services use: JSON Schema, AsyncAPI, OpenAPI."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deploy.contracts import events, http, shapes

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"


def documents() -> dict[str, bytes]:
    """Each document under its file's name, as indented JSON with a final line break."""
    contents = shapes.documents() | {"asyncapi.json": events.document(), "openapi.json": http.document()}
    return {name: msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n" for name, document in contents.items()}


def drifted(folder: Path = FOLDER) -> list[str]:
    """The files that are not, or no longer, what the code says; also those that it no longer makes."""
    current = documents()
    present = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}
    return sorted(name for name in current.keys() | present.keys() if current.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> None:
    current = documents()
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in current:
            path.unlink()
    for name, text in current.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
