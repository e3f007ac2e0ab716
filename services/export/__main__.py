"""Start the export service: connect, serve, close."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AsyncExitStack

import uvloop

from proto.registry import Registry
from services.export.bundle.signing import Signer
from services.export.http.app import Context, create_app
from services.export.jobs import Jobs
from services.export.settings import Settings
from services.export.store import Store
from services.runtime import logs, nats_client
from services.runtime.audit_log import Acts
from services.runtime.http.server import serve
from services.runtime.settings import UnknownSetting, read
from services.runtime.supervision import Supervisor


async def run(settings: Settings) -> None:
    settings.releases.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as closing:
        client = await nats_client.connect(settings.nats_url, "export")
        closing.push_async_callback(client.close)
        tasks, registry = Supervisor(), Registry()
        closing.push_async_callback(tasks.stop)
        acts = Acts(client, "export", tasks, time.time)
        registry.used = acts.used
        await nats_client.follow_control(client, registry, tasks)
        store = await Store.open(settings.database_url)
        closing.push_async_callback(store.close)
        signer = Signer.opened(settings.release_key_file or settings.releases / ".release-key")
        jobs = Jobs(store, registry, settings.releases, signer, settings.host_guard().url)
        closing.push_async_callback(jobs.stop)
        app = create_app(Context(registry, store, jobs, settings.releases, lambda: client.is_connected, tasks, acts))
        await serve(settings.host_guard().before(app), settings.host, settings.port)


def main() -> None:
    try:
        settings = read(Settings, os.environ)
    except UnknownSetting as error:
        sys.exit(f"export: {error}")
    logs.configure("export", settings.log_format)
    uvloop.run(run(settings))


if __name__ == "__main__":
    main()
