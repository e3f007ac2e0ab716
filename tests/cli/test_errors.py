"""Errors are two sentences on stderr: the cause and the way out. Help is everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner

from deploy.cli import main, platea, server

HERE = Path(__file__).parent


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
    line = [sys.executable, "-m", "deploy.cli", *arguments]
    return subprocess.run(line, env=environment | settings, capture_output=True, text=True, timeout=60)


def commands(group: click.Group = platea, *path: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(platea, [*path, "--help"], prog_name="platea")
    assert ran.exit_code == 0
    _, text, *_ = ran.output.split("\n\n")
    assert text.strip().endswith((".", "?"))
    assert "\x1b" not in ran.output


NOWHERE = ("--url", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("survey", "list", *NOWHERE), "No answer from http://127.0.0.1:9 (Connection refused)."),
        (("simulate", "ai-security", "-n", "5", *NOWHERE), "No answer from http://127.0.0.1:9 (Connection refused)."),
        (
            ("recount", "ai-security", "--data", "nowhere", *NOWHERE),
            "This needs an organiser token, and there is none in nowhere/organiser.token.",
        ),
        (("survey", "check", "absent.yaml"), "Cannot read absent.yaml: No such file or directory."),
        (("survey", "draft", "absent.csv"), "Cannot read absent.csv: No such file or directory."),
        (("release", "verify", "absent"), "There is no folder absent."),
        (("survey", "chek"), "No such command 'chek'. Did you mean 'check'?"),
        (("survey", "list", "--token", "ab\ncd", *NOWHERE), "The token is not one that Platea made."),
        (("token", "create"), "Missing option '--role'. Choose from: organiser, researcher"),
        (("simulate", "x", "-n", "many"), "Invalid value for '--responses' / '-n': 'many' is not a valid integer range."),
    ],
)
def test_an_error_names_the_cause_and_the_way_out(arguments: tuple[str, ...], cause: str, tmp_path: Path) -> None:
    done = run(*arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith(cause + "\n"), done.stderr
    assert len(done.stderr.removeprefix(cause).strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_faulty_instrument_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("format: platea-instrument/1\nid: x\nversion: 1.0.0\nfoo: 1\n")
    done = run("survey", "check", str(file))
    assert done.returncode == 1
    assert any(line.startswith("faulty.yaml:4: ") for line in done.stdout.splitlines())
    assert "Correct them" in done.stderr


def test_a_token_found_here_is_not_sent_to_a_server_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "organiser.token").write_text("platea_00000000_secret")
    code = "import os, sys; os.chdir(sys.argv[1]); from deploy.cli.server import find; print(find(sys.argv[2], None, None).token)"
    for url, token in (("https://platea.example", "None"), ("http://127.0.0.1:8000", "platea_00000000_secret")):
        line = [sys.executable, "-c", code, str(tmp_path), url]
        done = subprocess.run(line, env=os.environ | {"PYTHONPATH": str(HERE.parents[1])}, capture_output=True, text=True, timeout=30)
        assert done.stdout.strip() == token, done.stderr


def test_a_fault_of_the_program_is_told_with_its_stack_and_without_what_it_held(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unsuspecting(*arguments: object) -> NoReturn:
        answer, token = "what somebody answered", "platea_00000000_secret"
        try:
            raise KeyError(answer)
        except KeyError as error:
            raise ValueError(f"{answer} {token}") from error

    monkeypatch.setattr(server, "find", unsuspecting)
    with pytest.raises(SystemExit) as ended:
        main(["survey", "list"])
    assert ended.value.code == 1
    said, told = capsys.readouterr()
    assert said == ""
    assert "in unsuspecting" in told
    assert "This is a fault of the program (KeyError)." in told
    assert "what somebody answered" not in told
    assert "platea_00000000_secret" not in told


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("platea ")
