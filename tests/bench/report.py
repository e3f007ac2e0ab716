"""The report: each figure beside its calibration of the same run, and the target."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table


class Figure(msgspec.Struct, omit_defaults=True):
    """`value` against `target`. `measured` and `calibration` say, in words with units, what a ratio came from."""

    group: str
    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["more", "less"] = "more"
    measured: str = ""
    calibration: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "more" else self.value <= self.target


class Report(msgspec.Struct):
    machine: str
    processors: int
    quick: bool
    figures: list[Figure]
    skipped: dict[str, str] = {}


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def show(report: Report) -> None:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold", title_justify="left")
    for heading in ("", "figure", "target", "", "measured", "calibration of the same run"):
        table.add_column(heading)
    group = ""
    for figure in report.figures:
        if figure.group != group:
            group = figure.group
            table.add_row(f"[bold]{group}[/bold]")
        wanted = "" if figure.target is None else f"{'≥' if figure.better == 'more' else '≤'} {number(figure.target)} {figure.unit}"
        verdict = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[figure.met]
        table.add_row(f"  {figure.name}", f"{number(figure.value)} {figure.unit}", wanted, verdict, figure.measured, figure.calibration)
    console = Console(highlight=False, width=None if Console().is_terminal else 190)
    console.print(table)
    for name, reason in report.skipped.items():
        console.print(f"Skipped: {name}. {reason}")
    console.print(f"{report.machine}, {report.processors} processors, load generator included{', quick run' if report.quick else ''}.")


def save(report: Report, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench-report.json"
    figures = [msgspec.to_builtins(figure) | {"met": figure.met} for figure in report.figures]
    whole = msgspec.to_builtins(report) | {"figures": figures}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    return path


def number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
