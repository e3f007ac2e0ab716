"""`platea.read_release` trusts as little as it can: only what was signed, only the token's own site."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Generator, Mapping
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
def site(answer: Mapping[str, tuple[int, str | bytes]]) -> Generator[tuple[str, list[tuple[str, str | None]]]]:
    """A server that answers each path with a body, or sends on where it is an address; and what it was asked with which token."""
    asked: list[tuple[str, str | None]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            status, body = answer.get(self.path, (404, "{}"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", str(body))
            self.end_headers()
            if status != 302:
                self.wfile.write(body if isinstance(body, bytes) else body.encode())

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
def test_the_latest_release_is_fetched_and_judged_by_the_key_that_its_site_publishes(release: Path) -> None:
    api, key = "/api/v1/surveys/social-cohesion/releases", Signer(bytes(32)).public_key
    files = {f"{api}/1/{name}": (200, (release / name).read_bytes()) for name in ("manifest.json", "data.parquet")}
    listed = {api: (200, json.dumps([{"number": 0}, {"number": 1}]))}
    with site({**files, **listed, "/data/social-cohesion/key": (200, f"{key}\n")}) as (url, asked):
        latest = platea.read_release(f"{url}/data/social-cohesion", token="secret")
        assert asked[0] == (api, "Bearer secret")
        assert ("/data/social-cohesion/key", None) in asked, "the key is for everybody"
        assert latest.equals(platea.read_release(release))
        assert latest.equals(platea.read_release(f"{url}{api}", 1))
        assert len(asked) == 7
        with pytest.raises(platea.Unreadable, match="not signed with the key"):
            platea.read_release(f"{url}/data/social-cohesion", 1, key=Signer(bytes(31) + b"1").public_key)
    foreign = {**files, "/data/social-cohesion/key": (200, Signer(bytes(31) + b"1").public_key)}
    with site(foreign) as (url, _), pytest.raises(platea.Unreadable, match="not signed with the key"):
        platea.read_release(f"{url}/data/social-cohesion", 1)


@pytest.mark.service
def test_what_cannot_be_fetched_is_told_in_the_servers_words_or_with_its_address() -> None:
    refusal = json.dumps({"title": "Not yours.", "detail": "Ask for a token."})
    with site({"/api/v1/surveys/x/releases": (403, refusal), "/api/v1/surveys/y/releases": (502, "<html>")}) as (url, _):
        with pytest.raises(platea.Unreadable, match=r"^Not yours\. Ask for a token\.$"):
            platea.read_release(f"{url}/data/x")
        with pytest.raises(platea.Unreadable, match=r"/surveys/y/releases answered with status 502\.$"):
            platea.read_release(f"{url}/data/y")
    with pytest.raises(platea.Unreadable, match=f"^No answer from {url}/api/v1/surveys/x/releases: "):
        platea.read_release(f"{url}/data/x")
    with pytest.raises(platea.Unreadable, match="names no survey"):
        platea.read_release(url)


def test_a_folder_that_holds_no_release_or_another_says_so(release: Path, tmp_path: Path) -> None:
    with pytest.raises(platea.Unreadable, match="is not the folder of a release"):
        platea.read_release(tmp_path)
    with pytest.raises(platea.Unreadable, match="holds release 1, not 2"):
        platea.read_release(release, 2)


def test_codes_labels_and_missing_answers_are_read_as_asked(release: Path) -> None:
    codes, kept = platea.read_release(release, labels=None), platea.read_release(release, labels=None, missing="keep")
    words = platea.read_release(release)
    assert codes.notna().sum().sum() < kept.notna().sum().sum(), "reasons are no answers"
    for name, about in kept.attrs["variables"].items():
        absent = {category["code"] for category in about["categories"] if category["absent"]}
        assert codes[name].isna().equals(kept[name].isna() | kept[name].isin(sorted(absent)))
        assert words[name].isna().equals(codes[name].isna())
        assert not absent & set(codes[name].cat.categories)


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
