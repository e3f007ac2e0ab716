"""`python -m deploy.front` serves the whole origin."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop

from deploy.front import documentation
from deploy.front.front import Front
from deploy.front.proxy import Proxy, client_sessions
from services.intake.main import running
from services.intake.settings import Settings
from services.runtime import logs, settings
from services.runtime.http.client_address import networks
from services.runtime.http.connection_limit import Seats
from services.runtime.http.server import serve


async def main(chosen: Settings) -> None:
    async with client_sessions() as sessions, running(chosen) as intake:
        analysis, export = Proxy(sessions, "analysis", chosen.analysis_url), Proxy(sessions, "export", chosen.export_url)
        seats = Seats(chosen.followers_each, chosen.followers, networks(chosen.proxies))
        front = Front(intake, {"analysis": analysis, "export": export, "documentation": documentation.create_app()}, seats)
        await serve(chosen.host_guard().before(front), chosen.host, chosen.port, analysis.end_streams, drain=chosen.drain_seconds)


if __name__ == "__main__":
    try:
        chosen = settings.read(Settings, os.environ)
        logs.configure("intake", chosen.log_format)
    except settings.UnknownSetting as error:
        sys.exit(str(error))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(chosen))
