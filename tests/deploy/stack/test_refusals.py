"""Where the stack cannot start, it says why in one sentence, the way out in another, and leaves with status 1."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.keys import KeyFolder
from deploy.refusal import Refusal
from deploy.stack import data_folder
from deploy.stack.data_folder import DataFolder
from deploy.stack.postgres_server import Postgres
from deploy.stack.program import launched
from deploy.stack.up import StackSettings
from services.runtime import settings

ORDINARY = 60801


def _up(*arguments: str, uid: int = -1, **given: str) -> list[str]:
    """The sentences with which it refuses."""
    command = [sys.executable, "-m", "deploy.cli", "up", *arguments]
    line = command if uid < 0 else [*launched(signal.SIGKILL, uid), *command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
    done = subprocess.run(line, env=environment | given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        said = _up("--port", str(port), "--data", str(tmp_path))
    assert said == [
        f"Port {port} on 127.0.0.1 is in use by another program.",
        "Choose another with --port, or end the program that uses it.",
    ]
    assert not (tmp_path / "postgres").exists()


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    with DataFolder(tmp_path).taken():
        cause, way_out = _up("--data", str(tmp_path))
    assert f"{tmp_path} is in use by another Platea (process {os.getpid()})" in cause
    assert "--data" in way_out


def test_a_lock_file_without_an_owner_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    with DataFolder(tmp_path).taken():
        assert (tmp_path / "lock").read_text().strip() == str(os.getpid())


def test_a_misspelt_setting(tmp_path: Path) -> None:
    cause, way_out = _up("--data", str(tmp_path), PLATEA_NATS_URI="nats://secret@x")
    assert "PLATEA_NATS_URI" in cause
    assert "PLATEA_NATS_URL" in cause
    assert "secret" not in cause + way_out


def test_proxies_that_are_no_networks(tmp_path: Path) -> None:
    cause, _ = _up("--data", str(tmp_path), PLATEA_PROXIES="10.0.0.0/8,the balancer")
    assert cause == "PLATEA_PROXIES does not fit: name networks such as 10.0.0.0/8, with commas between."


def test_what_is_set_of_intake_reaches_it() -> None:
    wanted = settings.read(StackSettings, {"PLATEA_PROXIES": "10.0.0.0/8", "PLATEA_DRAFT_DAYS": "7", "PLATEA_DATA": "elsewhere"})
    assert wanted.for_intake == {"PLATEA_PROXIES": "10.0.0.0/8", "PLATEA_DRAFT_DAYS": "7"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_this_user_may_not_write() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        for data in (name, f"{name}/below"):
            cause, way_out = _up("--data", data, uid=ORDINARY)
            assert cause == f"The data folder {data} cannot be used: this user may not write there."
            assert "--data" in way_out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_another_user_made() -> None:
    with tempfile.TemporaryDirectory() as name:
        postgres = Path(name) / "postgres"
        postgres.mkdir(mode=0o700)
        os.chown(name, ORDINARY, ORDINARY)
        cause, _ = _up("--data", name, uid=ORDINARY)
    assert "made by another user" in cause


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cause, way_out = _up("--data", str(tmp_path / "file" / "below"))
    assert "cannot be used: not a directory" in cause
    assert "--data" in way_out


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    cause, way_out = _up("--host", "192.0.2.1", "--data", str(tmp_path))
    assert "192.0.2.1" in cause
    assert "--host" in way_out


def test_servers_of_ones_own_that_are_out_of_reach(tmp_path: Path, postgres_server: Postgres) -> None:
    cause, way_out = _up("--data", str(tmp_path), PLATEA_DATABASE_URL="postgresql://platea:secret@127.0.0.1:9/platea")
    assert "The database cannot be prepared" in cause
    assert "PLATEA_DATABASE_URL" in way_out
    assert "secret" not in cause + way_out


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "ROOM", 2**60)
    with pytest.raises(Refusal, match="almost full"), DataFolder(tmp_path).taken():
        pass


@pytest.mark.parametrize(("code", "why"), [(errno.ENOSPC, "is full"), (errno.EROFS, "read-only file system")])
def test_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, why: str) -> None:
    def refuse(self: Path, data: bytes) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(Refusal, match=why), DataFolder(tmp_path).taken():
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_a_closed_folder_where_the_power_to_pass_is_missing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres.embedded(closed / "postgres", KeyFolder(tmp_path / "secrets"))
    # As in a container: every capability is gone but those with which root changes the user.
    text = (
        "import sys; from pathlib import Path; from deploy.keys import KeyFolder; from deploy.stack.postgres_server import Postgres\n"
        "from deploy.refusal import Refusal\n"
        f"try: Postgres.embedded(Path({str(server.folder)!r}), KeyFolder(Path({str(tmp_path / 'secrets')!r}))).program()\n"
        "except Refusal as refusal: print(refusal)"
    )
    dropped = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", sys.executable, "-c", text]
    done = subprocess.run(dropped, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert "PostgreSQL could not set up its files" in done.stdout, done.stderr
    assert "--data" in done.stdout
