"""GET /docs: the documentation site that `make docs` built, as files, under the policy of all our pages."""

from __future__ import annotations

from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path

from litestar import Litestar, Response, get
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ASGIApp

from proto.problem import Problem
from services.runtime.http import problems
from services.runtime.http.encoded_body import Encoded
from services.runtime.http.responses import AnyRequest, cacheable
from services.runtime.http.security_headers import SECURITY_HEADERS
from services.runtime.http.static_files import CACHED

SITE = Path(__file__).parents[2] / "build" / "docs"


def create_app(site: Path = SITE) -> ASGIApp:
    """Where there is no site, as in a checkout that only runs `platea up`, every page answers 404 and says what builds it."""
    site = site.resolve()

    @get(["/docs", "/docs/"], include_in_schema=False)
    async def home() -> Redirect:
        """Links within the site are relative, so its first page has the address of a file."""
        return Redirect("/docs/index.html")

    @get("/docs/{page:path}", include_in_schema=False)
    async def page(request: AnyRequest, page: FromPath[str]) -> Response[bytes]:
        path = (site / page.lstrip("/")).resolve()
        if not (site / "index.html").is_file():
            raise Problem("not-found", "The documentation is not built here yet. `make up` does it within minutes, `make docs` at once.")
        if not path.is_relative_to(site) or not path.is_file():
            raise Problem("not-found")
        return cacheable(request, _read(path, path.stat().st_mtime_ns), {**SECURITY_HEADERS, **CACHED})

    return Litestar(
        route_handlers=[home, page],
        exception_handlers=problems.EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )


@lru_cache(maxsize=512)
def _read(path: Path, changed: int) -> Encoded:
    """The file as it was when it changed last (`changed`, in nanoseconds): it is read and compressed once."""
    return Encoded.of(path.read_bytes(), guess_type(path)[0] or "application/octet-stream")
