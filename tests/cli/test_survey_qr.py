"""`platea survey qr`: what a scanner reads in the code is the address that opens the survey."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
import resvg_py
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from deploy.cli.qr_code import code
from deploy.cli.surveys import group

SURVEY = "ai-security"


def scanned(content: bytes, kind: str) -> list[str]:
    png = resvg_py.svg_to_bytes(svg_string=content.decode(), skip_system_fonts=True) if kind == "svg" else content
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))]


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env={"PLATEA_PUBLIC_URL": None, "PLATEA_URL": None, **environment}).invoke(group, ["qr", *arguments])


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize("address", ["https://survey.example.eu/s/ai-security?lang=fr", f"https://{'long.' * 30}example.eu/s/{'x' * 64}"])
def test_a_scanner_reads_the_address(kind: str, address: str) -> None:
    content = code(address, kind)
    assert scanned(content, kind) == [address]
    assert content == code(address, kind), "the same bytes each time"


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_margin_is_white_and_four_modules_wide(kind: str) -> None:
    content = code("https://survey.example.eu/s/ai-security", kind)
    png = resvg_py.svg_to_bytes(svg_string=content.decode(), skip_system_fonts=True) if kind == "svg" else content
    picture = Image.open(io.BytesIO(png)).convert("L")
    dark = picture.point(lambda shade: 255 - shade).getbbox()
    assert dark == (80, 80, picture.width - 80, picture.height - 80)
    assert picture.getpixel((0, 0)) == 255


def test_the_code_holds_the_public_address_and_both_addresses_open_the_survey(tmp_path: Path, address: str) -> None:
    file = tmp_path / "poster.png"
    ran = run(SURVEY, "--out", str(file), "--url", address, "--language", "fr")
    assert (ran.exit_code, scanned(file.read_bytes(), "png")) == (0, [f"{address}/s/{SURVEY}?lang=fr"])
    assert f"{file} opens {address}/s/{SURVEY}?lang=fr\nTo be typed: {address}/{SURVEY}\n" in ran.output
    assert "on this machine alone" in ran.output
    for found in (scanned(file.read_bytes(), "png")[0], f"{address}/{SURVEY}"):
        assert httpx.get(found, follow_redirects=True, headers={"Accept-Language": "fr"}).url.path == f"/s/{SURVEY}"
    ran = run(SURVEY, "--out", str(file.with_suffix(".svg")), "--url", address, PLATEA_PUBLIC_URL="https://survey.example.eu/")
    assert scanned(file.with_suffix(".svg").read_bytes(), "svg") == [f"https://survey.example.eu/s/{SURVEY}"]
    assert "on this machine alone" not in ran.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere",), "There is no survey with this name"),
        ((SURVEY, "--out", "poster.jpg"), "poster.jpg is neither an .svg nor a .png file."),
        ((SURVEY, "--out", "/nowhere/poster.svg"), "Cannot write /nowhere/poster.svg"),
        ((SURVEY, "--public-url", "survey.example.eu"), "does not fit"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments: tuple[str, ...], sentence: str, address: str) -> None:
    ran = run(*arguments, "--url", address)
    assert ran.exit_code == 1
    assert sentence in ran.output
    assert not Path(f"{arguments[0]}.svg").exists()
