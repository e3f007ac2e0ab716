"""Read a release of Platea as a labelled pandas table: `platea.read_release("https://survey.example.eu/data/my-survey", 3)`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["Unreadable", "read_release"]


class Unreadable(Exception):
    """The release could not be fetched, or is not what was published; the message says why."""


def read_release(
    address: str | Path,
    number: int | None = None,
    *,
    token: str | None = None,
    key: str | None = None,
    labels: str | None = "",
    missing: Literal["blank", "keep"] = "blank",
) -> pd.DataFrame:
    """A release as a DataFrame of categorical columns, checked against its signature and its SHA-256.

    `address`: the survey's page, such as "https://survey.example.eu/data/my-survey", with the `number` of the release
    (None: the latest), or the folder of a downloaded one. `token`: a researcher's (PLATEA_TOKEN unless given).
    `key`: the public key of who published it, as their page tells it. Without, that of the address; of a folder, the key
    that its manifest names, so that only damage is found, not who signed it. `labels`: language of the categories, "" for
    that of the questionnaire, None for codes. `missing`: "blank" makes what is no answer NaN, "keep" keeps the reasons.

    `frame.attrs` holds what is known of the release; `frame.attrs["variables"][name]` question text, universe, role and
    the labels of every code in all languages. Raises Unreadable.
    """
    base = str(address)
    if urllib.parse.urlsplit(base).scheme in ("http", "https"):
        content, manifest, key = _fetched(base, number, token if token is not None else os.environ.get("PLATEA_TOKEN"), key)
    else:
        content, manifest = _local(Path(base), number)
    checksum = _signed_checksum(manifest, key)
    if hashlib.sha256(content).hexdigest() != checksum:
        raise Unreadable("data.parquet is not what was published: its SHA-256 is another than in the manifest. Fetch it again.")
    return _frame(content, labels, missing)


def _fetched(base: str, number: int | None, token: str | None, key: str | None) -> tuple[bytes, bytes, str]:
    """data.parquet, manifest.json, and the key that must have signed it."""
    parts = urllib.parse.urlsplit(base)
    names = [name for name in parts.path.split("/") if name]
    if not names:
        raise Unreadable(f"{base} names no survey. Give the address of its page, https://…/data/SURVEY.")
    survey = names[names.index("surveys") + 1] if "surveys" in names[:-1] else names[-1]
    site = f"{parts.scheme}://{parts.netloc}"
    api = f"{site}/api/v1/surveys/{survey}/releases"
    if number is None:
        published = json.loads(_get(api, token))
        if not published:
            raise Unreadable(f"There is no release of {survey} yet.")
        number = int(published[-1]["number"])
    manifest = _get(f"{api}/{number}/manifest.json", token)
    key = key or _get(f"{site}/data/{survey}/key", None).decode().strip()
    return _get(f"{api}/{number}/data.parquet", token), manifest, key


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A token is for the site it was given to: no other one, and no unencrypted one, is sent it."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> urllib.request.Request | None:
        redirected = super().redirect_request(req, fp, code, msg, headers, newurl)
        if redirected is not None and _site(newurl) != _site(req.full_url):
            redirected.remove_header("Authorization")
        return redirected


def _site(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc.lower()


_opener = urllib.request.build_opener(_Redirects)


def _get(url: str, token: str | None) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    try:
        with _opener.open(request, timeout=60) as answer:
            return answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            raise Unreadable(_sentence(refused)) from None
    except OSError as error:
        raise Unreadable(f"No answer from {url}: {getattr(error, 'reason', error)}.") from None


def _sentence(refused: urllib.error.HTTPError) -> str:
    """The server's own words (RFC 9457) where it has some."""
    try:
        problem: dict[str, str] = json.loads(refused.read())
        return " ".join(part for part in (problem.get("title"), problem.get("detail")) if part)
    except (ValueError, AttributeError):
        return f"{refused.url} answered with status {refused.code}."


def _local(folder: Path, number: int | None) -> tuple[bytes, bytes]:
    """data.parquet and manifest.json."""
    try:
        body = (folder / "manifest.json").read_bytes()
        content, actual = (folder / "data.parquet").read_bytes(), json.loads(body)["number"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{folder} is not the folder of a release: {error}.") from None
    if number not in (None, actual):
        raise Unreadable(f"{folder} holds release {actual}, not {number}.")
    return content, body


_SIGNATURE = re.compile(rb'^  "signature": "([^"\n]*)",?\n', re.MULTILINE)
"""Of the manifest itself: what lies deeper is further to the right."""


def _signed_checksum(body: bytes, key: str | None) -> str:
    """The SHA-256 of data.parquet that a manifest tells. Raises Unreadable unless it was signed with this key (None: the one it names).

    The signature is over the file without the line that holds it.
    """
    try:
        manifest, signature = json.loads(body), _SIGNATURE.search(body)
        named = str(manifest.get("public_key", ""))
        if signature is None:
            raise Unreadable("manifest.json is not signed: this is not what was published.")
        if key is not None and named != key.strip():
            raise Unreadable("manifest.json is not signed with the key of who published it.")
        unsigned = body[: signature.start()] + body[signature.end() :]
        Ed25519PublicKey.from_public_bytes(base64.b64decode(named)).verify(base64.b64decode(signature[1]), unsigned)
        return _checksum(manifest)
    except (InvalidSignature, ValueError, AttributeError, TypeError, KeyError):
        raise Unreadable("manifest.json was changed after it was signed.") from None


def _checksum(manifest: dict[str, Any]) -> str:
    return next((str(file["sha256"]) for file in manifest["files"] if file["name"] == "data.parquet"), "")


def _frame(content: bytes, labels: str | None, missing: str) -> pd.DataFrame:
    return _labelled(pq.read_table(io.BytesIO(content)), labels, missing)


def _labelled(table: Any, labels: str | None, missing: str) -> pd.DataFrame:
    about: dict[str, Any] = json.loads(table.schema.metadata[b"platea"])
    language = labels or about["language"]
    variables: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    for field in table.schema:
        described = variables[field.name] = json.loads(field.metadata[b"platea"])
        categories = [category for category in described["categories"] if missing == "keep" or not category["absent"]]
        codes: list[str] = [category["code"] for category in categories]
        given = pd.Series(table.column(field.name).cast("string").to_pylist(), dtype="object")
        values = pd.Categorical(given.where(given.isin(codes)), categories=codes, ordered=described["measure"] == "ordinal")
        columns[field.name] = values if labels is None else values.rename_categories(_shown(categories, language))
    frame = pd.DataFrame(columns)
    frame.attrs.update(about | {"variables": variables})
    return frame


def _shown(categories: list[dict[str, Any]], language: str) -> list[str]:
    """Labels, no two alike; where one has no text, its code."""
    labels = [category["labels"].get(language) or category["labels"].get("en") or category["code"] for category in categories]
    return [
        label if labels.count(label) == 1 else f"{label} [{category['code']}]" for label, category in zip(labels, categories, strict=True)
    ]
