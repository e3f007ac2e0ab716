"""The command line, `platea`: each command in a file of its own, loaded when it is asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from deploy.cli.console import Trouble, complain, note
from services.runtime.error_details import error_name, stack_of
from services.runtime.version import VERSION

COMMANDS = {
    "up": "starting:command",
    "survey": "surveys:group",
    "token": "tokens:group",
    "invite": "inviting:command",
    "import": "importing:command",
    "contacts": "contacts:command",
    "retention": "retaining:command",
    "simulate": "simulating:command",
    "recount": "recounting:command",
    "parked": "parked:group",
    "watch": "watching:command",
    "release": "releases:group",
    "mend": "mending:command",
    "audit": "auditing:group",
    "doctor": "doctor:command",
}


class Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        return getattr(importlib.import_module(f"deploy.cli.{module}"), name)


def _version(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"platea {VERSION}")
        context.exit()


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and end.")
def platea() -> None:
    """Surveys about public space: durable answers, live figures, releases that give nobody away.

    Commands find a stack that runs on this machine by themselves. Elsewhere, name the server with --url (PLATEA_URL) and give a
    token with --token (PLATEA_TOKEN).
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs a command and ends with its status: 0 well, 1 something is wrong, 2 the command was written wrongly."""
    try:
        status: Any = platea.main(arguments, prog_name="platea", standalone_mode=False)
    except Trouble as trouble:
        complain(trouble.message, trouble.way_out)
        sys.exit(trouble.status)
    except click.exceptions.NoArgsIsHelpError as unasked:
        click.echo(unasked.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as usage:
        where = usage.ctx.command_path if usage.ctx else "platea"
        complain(" ".join(usage.format_message().split()), f"`{where} --help` shows how it is written.")
        sys.exit(2)
    except click.ClickException as error:
        complain(error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        complain("Stopped.")
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:  # told without its message, which may quote an answer or a token
        note(stack_of(error))
        complain(f"This is a fault of the program ({error_name(error)}).", "Please report it with the lines above: no data are in them.")
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
