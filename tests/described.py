"""Schemathesis: sends requests made from a description, and looks whether every response is one that it describes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

SCHEMATHESIS = Path(sys.executable).with_name("st")
# Where the machine is too slow for the journal, "busy, try again" is the right answer; that answers come is what other tests see to.
# What is wrong may be too large as well.
CHECKS = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429, 503]
"""


async def judge(
    document: dict[str, Any], url: str, token: str, folder: Path, *chosen: str, unchecked: Sequence[str] = (), **parameters: str
) -> None:
    """Raises AssertionError with what it says. `chosen`: further arguments; `unchecked`: checks to leave out; `parameters`: of paths."""
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_bytes(msgspec.json.encode(document))
    fixed = "".join(f'"path.{name}" = "{value}"\n' for name, value in parameters.items())
    (folder / "schemathesis.toml").write_text(CHECKS + ("[parameters]\n" + fixed if fixed else ""))
    arguments = ["run", "openapi.json", "--url", url, "--header", f"Authorization: Bearer {token}", "--max-examples", "4"]
    # What a schema cannot say (skip logic, guessable receipts, coherent instruments) is refused although it fits the schema.
    arguments += ["--exclude-checks", ",".join(["positive_data_acceptance", *unchecked]), *chosen]
    tester = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await tester.communicate()
    assert tester.returncode == 0, output.decode()[-6000:]
