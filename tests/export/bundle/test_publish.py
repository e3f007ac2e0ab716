"""A release is there whole or not at all, signed, and the same bytes whenever it is built."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import msgspec
import pytest

from proto.manifest import Manifest, decode
from services.export.bundle import publish
from services.export.bundle.signing import Signer, is_genuine
from services.export.bundle.verify import MANIFEST, check, differing, read
from services.export.release import write
from tests.export.tables import released

SIGNER = Signer(bytes(range(32)))


def written(folder: Path, number: int = 1, count: int = 120) -> Manifest:
    folder.mkdir(parents=True)
    return write(folder, released(count, number), {"k": 10}, SIGNER, lambda share: None)


def test_a_signed_release_is_verified_by_who_has_nothing_but_the_key(tmp_path: Path) -> None:
    written(tmp_path / "1")
    assert check(tmp_path / "1", SIGNER.public_key) == []
    assert check(tmp_path / "1", Signer(bytes(32)).public_key) == ["manifest.json is not signed with this key."]


def test_who_changes_a_figure_and_its_checksum_is_found_out_by_the_signature(tmp_path: Path) -> None:
    manifest = written(tmp_path / "1")
    path = tmp_path / "1" / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"released": 120', b'"released": 121'))
    assert check(tmp_path / "1") == ["manifest.json was changed after it was signed."]
    forged = Signer(bytes(32)).sign(msgspec.structs.replace(manifest, released=121))
    assert is_genuine(forged), "anybody can sign with a key of their own"
    path.write_bytes(msgspec.json.encode(forged))
    assert check(tmp_path / "1") == []
    assert check(tmp_path / "1", SIGNER.public_key) == ["manifest.json is not signed with this key."]
    unsigned = msgspec.structs.replace(manifest, signature=None)
    path.write_bytes(msgspec.json.encode(unsigned))
    assert check(tmp_path / "1", SIGNER.public_key) == ["manifest.json is not signed with this key."]


@pytest.mark.parametrize("wrong", ["", "x", "AAAA", "é"])
def test_a_broken_signature_is_a_sentence_and_no_surprise(wrong: str, tmp_path: Path) -> None:
    manifest = written(tmp_path / "1", count=80)
    for broken in (msgspec.structs.replace(manifest, signature=wrong), msgspec.structs.replace(manifest, public_key=wrong)):
        assert not is_genuine(broken)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / ".release-key"
    first, again = Signer.opened(path), Signer.opened(path)
    assert first.public_key == again.public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".release-key"]


def test_the_same_responses_give_the_same_release_to_the_last_byte(tmp_path: Path) -> None:
    one, other = written(tmp_path / "a" / "1"), written(tmp_path / "b" / "1")
    assert one == other
    assert differing(one, other) == []
    assert (tmp_path / "a" / "1" / MANIFEST).read_bytes() == (tmp_path / "b" / "1" / MANIFEST).read_bytes()
    assert "data.csv" in differing(one, written(tmp_path / "c" / "1", count=119))


def test_what_is_published_is_whole_and_its_archive_holds_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "every-kind"
    with publish.stage(folder) as place:
        written(place / "release")
        assert [path.name for path in folder.iterdir()] == [publish.STAGE]
        publish.prepare(place / "release", folder, 1)
        publish.publish(place / "release", folder, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "1.zip"]
    assert check(folder / "1") == []
    with zipfile.ZipFile(folder / "1.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}
    assert check(tmp_path / "unpacked" / "every-kind-1", SIGNER.public_key) == []


def test_what_a_cut_off_job_left_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / publish.STAGE / "release"
    left.mkdir(parents=True)
    (left / "data.csv").write_text("half a rel")
    (tmp_path / "1").mkdir()  # moved, but never entered
    (tmp_path / "1" / "stray").write_text("x")
    with publish.stage(tmp_path) as place:
        assert list(place.iterdir()) == []
        written(place / "release", count=80)
        publish.prepare(place / "release", tmp_path, 1)
        publish.publish(place / "release", tmp_path, 1)
    assert check(tmp_path / "1") == []


def test_a_full_disk_leaves_nothing_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(release: Path, archive: Path, name: str) -> None:
        archive.write_bytes(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish, "pack", full)

    def build() -> None:
        with publish.stage(tmp_path) as place:
            written(place / "release", count=80)
            publish.prepare(place / "release", tmp_path, 1)

    with pytest.raises(OSError, match="No space"):
        build()
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = written(tmp_path / "1", count=80)
    assert read(tmp_path / "1") == manifest == decode((tmp_path / "1" / MANIFEST).read_bytes())
