"""Runs the export service as a process."""

from __future__ import annotations

import os
import sys

import uvloop

from services.export.main import running
from services.export.settings import Settings
from services.runtime import logs
from services.runtime.http.server import serve
from services.runtime.settings import UnknownSetting, read


async def main(settings: Settings) -> None:
    async with running(settings) as app:
        await serve(settings.host_guard().before(app), settings.host, settings.port)


if __name__ == "__main__":
    try:
        settings = read(Settings, os.environ)
    except UnknownSetting as error:
        sys.exit(f"export: {error}")
    logs.configure("export", settings.log_format)
    uvloop.run(main(settings))
