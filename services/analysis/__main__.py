"""Entry point of the analysis service: a worker with its gateway, or a gateway alone."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop

from services.analysis.gateway.gateway_service import alone
from services.analysis.main import running
from services.analysis.settings import Settings
from services.runtime import logs, settings
from services.runtime.http.server import serve


async def main(chosen: Settings) -> int:
    if not chosen.counts:
        async with alone(chosen) as (app, broadcaster):
            await serve(chosen.host_guard().before(app), chosen.host, chosen.port, broadcaster.close_all)
        return 0
    async with running(chosen) as analysis:
        app = chosen.host_guard().before(analysis.app)
        await serve(app, chosen.host, chosen.port, analysis.broadcaster.close_all, until=analysis.failed)
        return 1 if analysis.failed.done() else 0


if __name__ == "__main__":
    try:
        chosen = settings.read(Settings, os.environ)
        logs.configure("analysis", chosen.log_format)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            status = runner.run(main(chosen))
    except settings.UnknownSetting as error:
        sys.exit(str(error))
    sys.exit(status)
