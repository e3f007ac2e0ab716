"""Connects intake to NATS and serves it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import uvloop

from services.intake.main import running
from services.intake.settings import Settings
from services.runtime import http_server, settings


async def main(chosen: Settings) -> None:
    async with running(chosen) as app:
        await http_server.serve(chosen.host_guard().before(app), chosen.host, chosen.port, drain=chosen.drain_seconds)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s intake %(message)s")
    try:
        chosen = settings.read(Settings, os.environ)
    except settings.UnknownSetting as error:
        sys.exit(str(error))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(chosen))
