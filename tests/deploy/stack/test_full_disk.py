"""A disk that fills up under the stack: no answer is refused for good, none accepted is lost, and room is all it takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack.data_folder import ROOM
from tests.faults.operated import Operated
from tests.faults.respondents import Crowd, recorded


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that just suffices to start."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM + 64 * 2**20}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk, and not in every container")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_disk_that_fills_up_loses_nothing_and_recovers_with_room(small_disk: Path) -> None:
    with Operated(small_disk) as stack:
        before = Crowd(stack.url, 20, at_once=4)
        await before.answer()
        fill = small_disk / "fill"
        _fill(fill)
        insisting = Crowd(stack.url, 200, at_once=8, seed=4)
        answering = asyncio.create_task(insisting.answer())
        async with asyncio.timeout(60):
            while not insisting.refused.get("503"):
                await asyncio.sleep(0.1)
        fill.unlink()
        await asyncio.wait_for(answering, 90)
        await recorded(stack.url, [*before.accepted, *insisting.accepted], 60)
        said = stack.log.read_text()
    assert "MB left" in said
    assert "The journal stopped writing" in said


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as growing:
        try:
            while True:
                growing.write(b"\0" * 2**20)
        except OSError:
            return
