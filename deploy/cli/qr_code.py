"""`platea survey qr`: the address of a survey as a QR code."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import urlsplit

import click

from deploy.cli import server
from deploy.cli.console import Trouble, note, say
from deploy.cli.server import LOOPBACK, Server, quoted
from services.runtime.http.host_guard import public_url

KINDS = ("svg", "png")
PIXELS = 20
"""Width of a module in a PNG; an address of 40 characters makes about 900 pixels."""


@click.command()
@click.argument("survey", metavar="ID")
@click.option("--out", "-o", "file", type=click.Path(dir_okay=False, path_type=Path), help="An .svg or .png file.  [default: ID.svg]")
@click.option("--language", "-l", metavar="LANG", help="The language in which the survey opens.  [default: that of the browser]")
@click.option(
    "--public-url",
    envvar="PLATEA_PUBLIC_URL",
    metavar="URL",
    help="The address under which people reach the server (PLATEA_PUBLIC_URL).  [default: that of the server]",
)
@server.options
def qr(survey: str, file: Path | None, language: str | None, public_url: str | None, server: Server) -> None:
    """Write the address of the survey ID as a QR code into a file, for posters and letters.

    Print it at least 2 cm wide, dark on white, with its white margin.
    """
    file = file or Path(f"{survey}.svg")
    kind = file.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise Trouble(f"{file} is neither an .svg nor a .png file.", "Name one with --out.")
    languages: list[str] = server.ask("GET", f"/api/v1/surveys/{quoted(survey)}", public=True)["languages"]
    origin = _origin(public_url or server.url)
    address = f"{origin}/s/{survey}" + (f"?lang={quoted(language)}" if language else "")
    try:
        file.write_bytes(code(address, kind))
    except OSError as error:
        raise Trouble(f"Cannot write {file}: {error.strerror}.", "Name another file with --out.") from None
    say(f"{file} opens {address}")
    say(f"To be typed: {origin}/{survey}")
    if language and language not in languages:
        note(f"The questionnaire has no texts in {language}: the form will, the questions will not.")
    if urlsplit(origin).hostname in LOOPBACK:
        note("This address opens on this machine alone; --public-url or PLATEA_PUBLIC_URL says how others reach it.")


def code(address: str, kind: str) -> bytes:
    """The QR code of `address` with its margin; `kind` is "svg" (with a title) or "png". Readable with 15 % of it covered."""
    import segno

    drawn = io.BytesIO()
    titled = {"title": address} if kind == "svg" else {}
    segno.make(address, error="m", micro=False).save(drawn, kind=kind, scale=PIXELS, border=4, light="white", **titled)
    return drawn.getvalue()


def _origin(url: str) -> str:
    try:
        return public_url(url)
    except ValueError as unfit:
        raise Trouble(f"{unfit}", "Say it with --public-url.") from None
