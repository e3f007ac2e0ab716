"""`platea up`: the whole platform on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(name="up", short_help="Start the whole platform here.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address it listens on; 0.0.0.0 is every one this machine has.")
@click.option(
    "--data",
    envvar="PLATEA_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Data folder.",
)
@click.option("--simulate", metavar="N", type=click.IntRange(min=0), default=0, help="Send N plausible respondents once it runs.")
def command(port: int, host: str, data: Path, simulate: int) -> None:
    """Start NATS, PostgreSQL and the three services, and keep them running until Ctrl-C.

    Everything they keep is in the data folder; the next start finds it again. With PLATEA_NATS_URL or PLATEA_DATABASE_URL set, those
    servers are used instead and nothing of the kind is started here.
    """
    from deploy.stack import up

    sys.exit(up.run(port=port, host=host, data=data, simulate=simulate))
