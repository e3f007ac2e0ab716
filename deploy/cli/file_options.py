"""Options of the commands that read a data file: how it is to be read where the file does not tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from deploy.cli.datafile.header import KINDS, MOST
from deploy.cli.datafile.reading import FileOptions
from deploy.cli.datafile.separated import SEPARATORS
from deploy.cli.datafile.sheet import DataSheet
from deploy.cli.datafile.sheet_layout import Hidden

Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """Adds --encoding, --separator, --header, --sheet and --hidden, which arrive as arguments of these names."""
    for option in (
        click.option("--hidden", type=click.Choice(["read", "skip"]), help="Whether hidden rows and columns of a workbook count."),
        click.option("--sheet", metavar="NAME", help="The sheet of a workbook that has several."),
        click.option(
            "--header",
            metavar="ROWS",
            callback=_rows,
            help=f"What the first rows hold, such as name,text,ignore: each of {', '.join(KINDS)}.",
        ),
        click.option("--separator", type=click.Choice(list(SEPARATORS)), help="What stands between cells, where the file leaves it open."),
        click.option("--encoding", metavar="NAME", help="The encoding of a file that is not UTF-8, such as cp1252."),
    ):
        command = option(command)
    return command


def merged(
    said: FileOptions,
    encoding: str | None,
    separator: str | None,
    header: tuple[str, ...] | None,
    sheet: str | None,
    hidden: Hidden | None,
) -> FileOptions:
    """What the map says, with what the command line says instead."""
    return replace(
        said,
        encoding=encoding or said.encoding,
        separator=SEPARATORS[separator] if separator else said.separator,
        header=header or said.header,
        sheet=sheet or said.sheet,
        hidden=hidden or said.hidden,
    )


def said(options: FileOptions, sheet: DataSheet) -> dict[str, Any]:
    """How the file was read, for the `file` of an import map: what was said, and the header rows where there are several."""
    names = {sign: name for name, sign in SEPARATORS.items()}
    found: dict[str, Any] = {}
    if options.encoding:
        found["encoding"] = options.encoding
    if options.separator:
        found["separator"] = names[options.separator]
    if options.header or len(sheet.header) > 1:
        found["header"] = list(sheet.header)
    if options.sheet:
        found["sheet"] = options.sheet
    if options.hidden:
        found["hidden"] = options.hidden
    return found


def _rows(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    kinds = tuple(part.strip() for part in value.split(","))
    if not set(kinds) <= set(KINDS) or "name" not in kinds or len(kinds) > MOST:
        raise click.BadParameter(f"give up to {MOST} of {', '.join(KINDS)}, one of them name.")
    return kinds
