"""Three servers with the configuration of the cluster, intakes, and two workers that share the partitions, while parts of it die.

PLATEA_CLUSTER_HOLD and PLATEA_CLUSTER_RATE make it longer and busier; `python -m tests.faults.cluster` shows every fault as a table.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.cluster import campaign

HOLD = float(os.environ.get("PLATEA_CLUSTER_HOLD", "2"))
RATE = float(os.environ.get("PLATEA_CLUSTER_RATE", "25"))
FAULTS = ["kill -9 the leader", "cut a follower off"]


@pytest.mark.faults
async def test_a_server_dies_under_load_and_nothing_accepted_is_lost(tmp_path: Path) -> None:
    """Nor is a right receipt called unknown, or an answer that is stored told to be not stored."""
    report = await campaign(tmp_path, FAULTS, HOLD, RATE, intakes=2)
    assert report.broken == []
    assert [row.fault for row in report.rows] == FAULTS
    assert all(row.accepted and row.reads for row in report.rows)
