"""The life of the export service: connected, its app, closed."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from litestar.types import ASGIApp

from proto.registry import Registry
from services.export.bundle.signing import Signer
from services.export.http.app import Context, create_app
from services.export.jobs import Jobs
from services.export.settings import Settings
from services.export.store import Store
from services.runtime import nats_client
from services.runtime.audit_log import Acts
from services.runtime.http.page_compression import compressing_pages
from services.runtime.supervision import Supervisor


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[ASGIApp]:
    """Yields the app, connected and with all surveys known. Leaving stops the job that is building."""
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
        context = Context(registry, store, jobs, settings.releases, lambda: client.is_connected, tasks, acts)
        yield compressing_pages(create_app(context))
