"""`platea release`: builds, lists, verifies releases."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from deploy.cli import reviewing, server
from deploy.cli.console import Trouble, out, progress, say, table
from deploy.cli.server import Server, quoted
from proto.manifest import Manifest

STEPS = {"waiting": "Waiting", "reading": "Reading", "protecting": "Protecting", "writing": "Writing"}


@click.group(name="release", short_help="Datasets that give nobody away.")
def group() -> None:
    """Build, list and verify releases: numbered, unchangeable datasets that give nobody away."""


group.add_command(reviewing.command)


@group.command()
@click.argument("survey", metavar="ID")
@click.option(
    "--profile",
    type=click.Choice(["public", "scientific"]),
    default="public",
    show_default=True,
    help="For everybody, or for research under contract.",
)
@click.option("--purpose", default="", metavar="TEXT", help="What a scientific release is for; its manifest tells it.")
@click.option("--lang", default="", metavar="CODE", help="The language of labels in SPSS, Stata and R.  [default: the survey's own]")
@click.option(
    "--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Also download it: DIR becomes the release's folder."
)
@server.options
def create(survey: str, profile: str, purpose: str, lang: str, folder: Path | None, server: Server) -> None:
    """Build a release of the survey ID, wait for it, and download it with --out.

    Refused where the responses cannot be protected well enough. `platea release verify DIR` checks the download.
    """
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise Trouble(f"{folder} is not empty.", "Name a new folder with --out; a release never mixes with other files.")
    if profile == "scientific" and not purpose.strip():
        raise Trouble("A scientific release needs a purpose.", 'Say what the data are for: --purpose "…". It is kept in the manifest.')
    base = f"/api/v1/surveys/{quoted(survey)}/releases"
    order = {"profile": profile, "purpose": purpose} | ({"language": lang} if lang else {})
    job = follow(server, base, server.ask("POST", base, json.dumps(order).encode()))
    number = job["number"]
    manifest: dict[str, Any] = server.get(f"{base}/{number}")
    texts = f", {texts:,} free texts" if (texts := manifest["policy"].get("texts")) else ""
    rows = f"{manifest['released']:,} of {manifest['responses']:,} responses"
    say(f"Release {number} of {survey}: {rows}{texts}, profile {manifest['profile']}.")
    for warning in job.get("warnings", ()):
        say(warning)
    if folder is not None:
        download(server, f"{base}/{number}", manifest, folder)
        say(f"Saved in {folder}; `platea release verify {folder}` checks it at any time.")


@group.command(name="list")
@click.argument("survey", metavar="ID")
@server.options
def list_(survey: str, server: Server) -> None:
    """List the releases of the survey ID."""
    manifests: list[dict[str, Any]] = server.get(f"/api/v1/surveys/{quoted(survey)}/releases")
    if not manifests:
        say(f"No releases of {survey} yet.")
        return
    grid = table("release", "version", "profile", "responses", "files", "size")
    for manifest in manifests:
        size = sum(file["bytes"] for file in manifest["files"])
        grid.add_row(
            str(manifest["number"]),
            manifest["version"],
            manifest["profile"],
            f"{manifest['released']:,}",
            str(len(manifest["files"])),
            f"{size / 1e6:,.1f} MB",
        )
    out.print(grid)


@group.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--key", metavar="KEY", help="The publisher's public key, as /data/ID/key shows it: the signature must be theirs.")
@click.option("--rebuild", is_flag=True, help="Also build it again on the server from the stored responses, and compare the bytes.")
@server.options
def verify(folder: Path, key: str | None, rebuild: bool, server: Server) -> None:
    """Check the release in DIR: every file, its size, its SHA-256, the signature. Needs no server, but for --rebuild."""
    from services.export.bundle.verify import check, read

    if not folder.is_dir():
        raise Trouble(f"There is no folder {folder}.", "Name the folder that `platea release create --out` made.")
    wrong = check(folder, key.strip() if key else None)
    for sentence in wrong:
        say(sentence)
    if wrong:
        raise Trouble(
            f"{folder} is not the release that was published.",
            "Download it again, with `platea release create --out` or from the page of releases.",
        )
    say(f"{folder} is whole and unchanged.")
    manifest = read(folder)
    if manifest.public_key is not None:
        say(
            f"Signed with the key {manifest.public_key}"
            + ("." if key else f": compare it with the publisher's /data/{manifest.survey}/key.")
        )
    if rebuild:
        _rebuild(server, manifest)


def _rebuild(server: Server, manifest: Manifest) -> None:
    """Asks the server to rebuild the release. Raises Trouble where the bytes differ."""
    base = f"/api/v1/surveys/{quoted(manifest.survey)}/releases"
    if server.get(f"{base}/{manifest.number}").get("signature") != manifest.signature:
        raise Trouble(f"This is not release {manifest.number} of that server.", "Name the server that published it with --url.")
    job = follow(server, base, server.ask("POST", f"{base}/{manifest.number}/rebuild", b""))
    if job["differing"]:
        cause = job["detail"] or f"These files came out different: {', '.join(job['differing'])}."
        raise Trouble(cause, "What was published stays. From other responses, or with another version of Platea, it comes out different.")
    say(f"Built again from {job['responses']:,} stored responses: every byte is the same.")


def follow(server: Server, base: str, job: dict[str, Any]) -> dict[str, Any]:
    """The job when it is done, with a bar until then. Raises Trouble where it was refused or failed."""
    with progress("Waiting", 100) as bar:
        while job["status"] in STEPS:
            with server.open("GET", f"{base}/jobs/{quoted(job['id'])}/events", headers={"Accept": "text/event-stream"}) as answer:
                for line in answer:
                    if line.startswith(b"data: "):
                        job = json.loads(line.removeprefix(b"data: "))
                        bar.reach(100 * job["progress"], label=STEPS.get(job["status"], "Done"))
    if job["status"] != "done":
        next = "Wait for more responses, or change what it names." if job["status"] == "refused" else "The server's log may tell more."
        raise Trouble(job.get("detail") or "The release was not built.", next)
    return job


def download(server: Server, base: str, manifest: dict[str, Any], folder: Path) -> None:
    """All files or none: they arrive beside the folder, are checked, and move there in one step."""
    from services.export.bundle.verify import check

    names = ["manifest.json", *(file["name"] for file in manifest["files"])]
    if any(name != Path(name).name for name in names):
        raise Trouble("The server named a file outside the release.", "Do not use this server.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".release-", dir=folder.parent) as temporary:
            arriving = Path(temporary) / "release"
            arriving.mkdir(mode=0o755)
            with progress("Downloading", len(names), "files") as bar:
                for name in names:
                    with server.open("GET", f"{base}/{quoted(name)}") as answer, (arriving / name).open("wb") as file:
                        shutil.copyfileobj(answer, file)
                    bar.advance()
            if wrong := check(arriving):
                raise Trouble(f"The download is damaged: {wrong[0]}", "Try again.")
            if folder.exists():
                folder.rmdir()
            arriving.rename(folder)
    except OSError as error:
        raise Trouble(f"Cannot write {folder}: {error.strerror}.", "Name a folder that you may write to with --out.") from None
