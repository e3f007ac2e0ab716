"""Start the export service: connect, serve, close."""

from __future__ import annotations

import logging
import os
import sys

import uvloop

from proto import wire
from proto.registry import Registry
from proto.settings import UnknownSetting, read
from proto.web import serve
from services.export.app import Context, create_app
from services.export.jobs import Jobs
from services.export.settings import Settings
from services.export.signing import Signer
from services.export.store import Store


async def run(settings: Settings) -> None:
    settings.releases.mkdir(parents=True, exist_ok=True)
    client = await wire.connect(settings.nats_url, "export")
    registry = Registry()
    _, following = await wire.follow_control(client, registry)
    store = await Store.open(settings.database_url)
    signer = Signer.opened(settings.release_key_file or settings.releases / ".release-key")
    jobs = Jobs(store, registry, settings.releases, signer)
    try:
        await serve(
            create_app(Context(registry, store, jobs, settings.releases, lambda: client.is_connected)), settings.host, settings.port
        )
    finally:
        await jobs.stop()
        following.cancel()
        await store.close()
        await client.close()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = read(Settings, os.environ)
    except UnknownSetting as error:
        sys.exit(f"export: {error}")
    uvloop.run(run(settings))


if __name__ == "__main__":
    main()
