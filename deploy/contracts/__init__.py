"""The contracts with the outside, generated from the types that the services use: JSON Schema, AsyncAPI, OpenAPI."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deploy.contracts import events, http, shapes

ROOT = Path(__file__).parents[2]
FOLDER = Path("docs", "contracts")
SERVED = Path("services", "intake", "http", "openapi.json")
"""What intake serves at /schema for all services, since no service may know the others."""


def documents() -> dict[str, bytes]:
    """Each document under its file's name, as indented JSON with a final line break."""
    contents = shapes.documents() | {"asyncapi.json": events.document(), "openapi.json": http.document()}
    return {name: msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n" for name, document in contents.items()}


def drifted(root: Path = ROOT) -> list[str]:
    """The files that are not, or no longer, what the code says; also those that it no longer makes."""
    current = _files()
    present = {path: (root / path).read_bytes() for path in _present(root)}
    return sorted(path.as_posix() for path in current.keys() | present.keys() if current.get(path) != present.get(path))


def write(root: Path = ROOT) -> None:
    current = _files()
    for path in _present(root) - current.keys():
        (root / path).unlink()
    for name, text in current.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def _files() -> dict[Path, bytes]:
    """Each file under its path in the repository."""
    contents = documents()
    served = msgspec.json.encode(msgspec.json.decode(contents["openapi.json"]))
    return {FOLDER / name: text for name, text in contents.items()} | {SERVED: served}


def _present(root: Path) -> set[Path]:
    return {path.relative_to(root) for path in [*(root / FOLDER).rglob("*.json"), root / SERVED] if path.exists()}
