"""The first start works wherever the data folder is and whatever its secrets consist of."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import asyncpg
import pytest

from deploy.keys import KeyFolder, write_secret
from deploy.provisioning.migrate import create_database, migrate
from deploy.provisioning.nats_users import quoted, routes
from deploy.stack.nats_server import NatsServer
from deploy.stack.postgres_server import Postgres
from services.runtime import nats_client
from tests.conftest import started

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = [
    "with space",
    "#1",
    "quotes ' and \"",
    "back\\slash\\",
    "$HOME and ${HOME}",
    "été Ελλάδα 日本",
    "a: {b}, [c]; (d) %41 <e> | & * ? ! ` ~ = \\x41 \\n",
    "2026",
    "true",
    "1KB",
]
SECRET = "p@ss/w:o?r#d $HOME %41 \"'\\é"


@pytest.mark.parametrize("name", FOLDERS)
async def test_the_message_server_starts_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    server = NatsServer.embedded(folder / "nats", KeyFolder(folder / "secrets"))
    with started(server.program(), tmp_path / "log"):
        client = await nats_client.connect(server.url("provisioner"), "test")
        await client.jetstream(timeout=10).add_stream(name="S", subjects=["platea.control.x"])
        await client.close()
        assert next((folder / "nats" / "store").rglob("S")).is_dir(), "it keeps its data there and nowhere else"
    assert [path.name for path in tmp_path.iterdir() if path.name != "log"] == [name]


def test_the_names_of_a_cluster_are_read_as_they_are(tmp_path: Path) -> None:
    assert quoted('a"\\b') == '"a\\"\\\\b"'
    keys = KeyFolder(tmp_path / "secrets")
    write_secret(keys.folder / "nats-route", SECRET)
    assert routes(keys, ["h:1"]) == "[nats://route:p%40ss%2Fw%3Ao%3Fr%23d%20%24HOME%20%2541%20%22%27%5C%C3%A9@h:1]"


async def test_both_servers_take_any_folder_and_any_secret(tmp_path: Path) -> None:
    folder = tmp_path / "".join(FOLDERS[:6])
    keys = KeyFolder(folder / "secrets")
    for name in ("nats-intake", "nats-route", "postgres-platea", "postgres-platea_analysis"):
        write_secret(keys.folder / name, SECRET)
    nats, postgres = NatsServer.embedded(folder / "nats", keys), Postgres.embedded(folder / "postgres", keys)
    with started(nats.program(), tmp_path / "nats.log"), started(postgres.program(), tmp_path / "postgres.log"):
        client = await nats_client.connect(nats.url("intake"), "test")
        assert client.is_connected
        await client.close()
        await create_database(postgres.url())
        await migrate(postgres.url(), {role: keys.read(f"postgres-{role}") for role in ("platea_analysis", "platea_export")})
        connection = await asyncpg.connect(postgres.url("platea_analysis"))
        assert await connection.fetchval("select current_user") == "platea_analysis"
        await connection.close()


@pytest.mark.parametrize("name", ["var", "/some where/#1", "quotes ' and \" `id` $(id) $HOME $$ \\", "été"])
def test_make_up_passes_the_folder_on_as_it_was_typed(tmp_path: Path, name: str) -> None:
    """With a makefile that needs no packages in place of the rule that installs them."""
    told, replaced = re.subn(r"up: \.venv/\.runtime\n\t@\{.*\$\(MAKE\) docs.*&\n", "up:\n", (ROOT / "Makefile").read_text())
    assert replaced == 1
    (tmp_path / "Makefile").write_text(told)
    program = tmp_path / "bin" / "platea"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(["make", "up", f"DATA={name}", "PORT=8000", "BIN=bin"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["up", "--port", "8000", "--data", name]
