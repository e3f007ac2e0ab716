"""`python -m deploy.provisioning` prepares the servers of a cluster, then mends where journal or store lack something.

It applies the pre migrations; with `--post`, once no service of the release before runs any more, the post migrations and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from deploy.mending.mending import settle
from deploy.provisioning.migrate import migrate
from deploy.provisioning.provision import ProvisionSettings, provision
from deploy.refusal import Refusal
from services.runtime import logs, settings


def passwords(chosen: ProvisionSettings) -> dict[str, str]:
    """The password of each role whose file is given."""
    files = {"platea_analysis": chosen.analysis_password_file, "platea_export": chosen.export_password_file}
    return {role: Path(file).read_text().strip() for role, file in files.items() if file}


async def prepare(chosen: ProvisionSettings, passwords: dict[str, str]) -> None:
    """Does not wait until journal and store agree: intake serves anyway, and analysis waits by itself."""
    sizes = (chosen.partition_count, chosen.replicas, chosen.draft_megabytes)
    await provision(chosen.nats_url, chosen.database_url, Path(chosen.token_file), passwords, *sizes, phases=("pre",))
    report = await settle(chosen.nats_url, chosen.database_url)
    if report.mended or not report.together:
        print(report.sentence(), file=sys.stderr)


async def complete(chosen: ProvisionSettings, passwords: dict[str, str]) -> None:
    """Applies every migration that is left. Raises Refusal while services of another version are connected."""
    print(f"Migrations applied: {await migrate(chosen.database_url, passwords)}.")


if __name__ == "__main__":
    logs.configure("provisioning", level=logging.WARNING)
    parser = argparse.ArgumentParser("python -m deploy.provisioning", description="Prepares the servers of a cluster.")
    parser.add_argument("--post", action="store_true", help="apply the post migrations, once no earlier version runs any more")
    step = complete if parser.parse_args().post else prepare
    try:
        chosen = settings.read(ProvisionSettings, os.environ)
        asyncio.run(step(chosen, passwords(chosen)))
    except (Refusal, settings.UnknownSetting) as refusal:
        sys.exit(str(refusal))
