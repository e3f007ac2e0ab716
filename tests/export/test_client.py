"""`platea.read_release` trusts as little as it can: only what was signed, only the token's own site."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import platea
import pytest

from proto.manifest import decode, encode
from services.export.bundle.signing import Signer
from tests.export.tables import made


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    made("social-cohesion", "public", 60).write(folder)
    return folder


def copied(release: Path, folder: Path) -> Path:
    for name in ("manifest.json", "data.parquet"):
        (folder / name).write_bytes((release / name).read_bytes())
    return folder


def test_a_folder_is_read_where_its_manifest_is_signed(release: Path) -> None:
    assert len(platea.read_release(release)) == 60
    assert len(platea.read_release(release, 1, key=Signer(bytes(32)).public_key)) == 60
    with pytest.raises(platea.Unreadable, match="not signed with the key"):
        platea.read_release(release, key=Signer(bytes(31) + b"1").public_key)


def test_whoever_changes_the_data_and_their_checksum_is_found_out(release: Path, tmp_path: Path) -> None:
    folder = copied(release, tmp_path)
    data = folder / "data.parquet"
    data.write_bytes(data.read_bytes() + b"x")
    with pytest.raises(platea.Unreadable, match="SHA-256"):
        platea.read_release(folder)
    manifest = folder / "manifest.json"
    former = hashlib.sha256((release / "data.parquet").read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text("utf-8").replace(former, hashlib.sha256(data.read_bytes()).hexdigest()), "utf-8")
    with pytest.raises(platea.Unreadable, match="changed after it was signed"):
        platea.read_release(folder)
    manifest.write_bytes(encode(decode((release / "manifest.json").read_bytes())).replace(b'"signature"', b'"was_signature"'))
    with pytest.raises(platea.Unreadable, match="not signed"):
        platea.read_release(folder)
    for nonsense in (b"[]", b"{}", b'{\n  "signature": "x"\n}', b'{\n  "public_key": 3,\n  "signature": "AAAA"\n}'):
        manifest.write_bytes(nonsense)
        with pytest.raises(platea.Unreadable):
            platea.read_release(folder)


@contextmanager
def site(answer: dict[str, tuple[int, str]]) -> Generator[tuple[str, list[tuple[str, str | None]]]]:
    """A server that answers each path with a body, or sends on where it is an address; and what it was asked with which token."""
    asked: list[tuple[str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            status, body = answer.get(self.path, (404, "{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body)
            self.end_headers()
            if status != 302:
                self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.service
def test_a_token_is_not_passed_on_to_another_site() -> None:
    with site({"/api/v1/surveys/x/releases": (200, json.dumps([]))}) as (other, seen):
        answers = {
            "/api/v1/surveys/x/releases": (302, f"{other}/api/v1/surveys/x/releases"),
            "/api/v1/surveys/y/releases": (302, "/elsewhere"),
            "/elsewhere": (200, "[]"),
        }
        with site(answers) as (own, asked):
            for survey in ("x", "y"):
                with pytest.raises(platea.Unreadable, match="no release"):
                    platea.read_release(f"{own}/data/{survey}", token="secret")
    assert asked == [
        ("/api/v1/surveys/x/releases", "Bearer secret"),
        ("/api/v1/surveys/y/releases", "Bearer secret"),
        ("/elsewhere", "Bearer secret"),
    ]
    assert seen == [("/api/v1/surveys/x/releases", None)]
