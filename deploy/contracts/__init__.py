"""The contracts with the outside, generated from the types that the services use: JSON Schema, AsyncAPI, OpenAPI."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deploy.contracts import events, http, shapes

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"


def documents() -> dict[str, bytes]:
    """Each document under its file's name, as indented JSON with a final line break."""
    made = shapes.documents() | {"asyncapi.json": events.document(), "openapi.json": http.document()}
    return {name: msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n" for name, document in made.items()}


def drifted(folder: Path = FOLDER) -> list[str]:
    """The files that are not, or no longer, what the code says; also those that it no longer makes."""
    wanted = documents()
    present = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def write(folder: Path = FOLDER) -> None:
    wanted = documents()
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
