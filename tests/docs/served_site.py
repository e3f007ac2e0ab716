"""Serves a built documentation site as the front does: `python -m tests.docs.served_site PORT`, the folder in PLATEA_TESTED_SITE."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from deploy.front import documentation
from services.runtime.http.server import serve

if __name__ == "__main__":
    app = documentation.create_app(Path(os.environ["PLATEA_TESTED_SITE"]))
    asyncio.run(serve(app, "127.0.0.1", int(sys.argv[1])))
