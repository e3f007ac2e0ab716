"""Runs intake as a process."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop

from services.intake.main import running
from services.intake.settings import Settings
from services.runtime import logs, settings
from services.runtime.http.server import serve


async def main(chosen: Settings) -> None:
    async with running(chosen) as app:
        await serve(chosen.host_guard().before(app), chosen.host, chosen.port, drain=chosen.drain_seconds)


if __name__ == "__main__":
    try:
        chosen = settings.read(Settings, os.environ)
        logs.configure("intake", chosen.log_format)
    except settings.UnknownSetting as error:
        sys.exit(str(error))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(chosen))
