"""A downloaded release is checked against its manifest."""

from __future__ import annotations

from pathlib import Path

from proto.manifest import Manifest, encode
from services.export.bundle.verify import check, describe


def release(folder: Path) -> None:
    (folder / "data.csv").write_text("a\n1\n")
    manifest = Manifest(1, "s", "1", "public", {"k": 5}, "0", 1, 1, 0, (describe(folder / "data.csv"),))
    (folder / "manifest.json").write_bytes(encode(manifest))


def test_an_untouched_release_verifies(tmp_path: Path) -> None:
    release(tmp_path)
    assert check(tmp_path) == []


def test_every_kind_of_tampering_is_named(tmp_path: Path) -> None:
    release(tmp_path)
    (tmp_path / "data.csv").write_text("a\n2\n")
    assert "SHA-256" in check(tmp_path)[0]
    (tmp_path / "data.csv").write_text("longer than before")
    assert "bytes" in check(tmp_path)[0]
    (tmp_path / "extra.txt").write_text("")
    assert any("extra.txt" in line for line in check(tmp_path))
    (tmp_path / "data.csv").unlink()
    assert any("missing" in line for line in check(tmp_path))
    (tmp_path / "manifest.json").write_text("{")
    assert "cannot be read" in check(tmp_path)[0]


def test_a_manifest_cannot_point_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "release"
    inside.mkdir()
    (tmp_path / "secret").write_text("x")
    manifest = Manifest(1, "s", "1", "public", {}, "0", 1, 1, 0, (describe(tmp_path / "secret").__class__("../secret", 1, "0"),))
    (inside / "manifest.json").write_bytes(encode(manifest))
    assert check(inside) == ["../secret is missing."]
