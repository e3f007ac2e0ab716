"""`platea survey import` and `platea survey export`: questionnaires of other tools, in and out."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import cast

import click

from deploy.cli import names_file
from deploy.cli.console import Trouble, say
from deploy.cli.exchange.model import FormatName
from deploy.cli.exchange.report import Report, UnreadableForm
from services.runtime.spreadsheet_csv import Writer

FORMATS = ("xlsform", "surveyjs", "limesurvey", "redcap", "qualtrics")


def _pairs(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        name, joint, meaning = value.rpartition("=")
        if not joint or not meaning:
            raise click.BadParameter(f"{value} is not NAME=VALUE", context, parameter)
        found[name] = meaning
    return found


def _copies(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    found = _pairs(context, parameter, values)
    for name, number in found.items():
        if not number.isdecimal() or not 1 <= int(number) <= 20:
            raise click.BadParameter(f"{name}={number}: a number from 1 to 20 is needed", context, parameter)
    return {name: int(number) for name, number in found.items()}


@click.command(name="import", short_help="Write a questionnaire of another tool in the author format.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--format", type=click.Choice(FORMATS), help="The format, where FILE does not show it.")
@click.option("--id", "id_", metavar="ID", default="", help="The id of the survey; otherwise made of its name.")
@click.option(
    "--language", "languages", metavar="NAME=TAG", multiple=True, callback=_pairs, help="The tag of a language FILE has a name for."
)
@click.option("--unroll", metavar="NAME=3", multiple=True, callback=_copies, help="Ask what FILE repeats so many times.")
@click.option("--report", "told", metavar="FILE", type=click.Path(path_type=Path), help="Write the whole report as JSON, too.")
@click.option(
    "--names", metavar="FILE.csv", type=click.Path(path_type=Path), help="Write old and new names, by which `platea import` reads data."
)
def import_(
    file: Path,
    format: str | None,
    id_: str,
    languages: dict[str, str],
    unroll: dict[str, int],
    told: Path | None,
    names: Path | None,
) -> None:
    """Read the questionnaire in FILE and print it in the author format: an XLSForm, SurveyJS JSON, LimeSurvey .lss, a REDCap data
    dictionary or Qualtrics .qsf. On stderr stands what is not as it was, each with its place, and at the end the counts.

    The exit status is 0 where nothing was refused and nothing is to review, 1 where the questionnaire was written but should be read, 2
    where nothing was written.
    """
    from deploy.cli.exchange.importing import imported

    content = _bytes(file)
    try:
        done = imported(content, file.name, format=cast("FormatName | None", format), id=id_, languages=languages, unroll=unroll)
    except UnreadableForm as unreadable:
        raise Trouble(f"{file} cannot be read: {unreadable.reason}.", unreadable.way_out, 2) from None
    _tell(done.report, told, file, done.form.format, "" if done.instrument is None else _next(done.report))
    if done.instrument is None:
        for fault in done.faults:
            click.echo(fault, err=True)
        raise Trouble(f"Nothing was written: what comes of {file} is not sound.", "Mend it in the other tool, or write it by hand.", 2)
    if names is not None:
        _write_names(done.report.names, names)
    say(done.yaml.rstrip("\n"))
    sys.exit(0 if done.report.clean else 1)


def _write_names(pairs: list[tuple[str, str]], place: Path) -> None:
    text = io.StringIO()
    writer = Writer(text)
    writer.writerow(names_file.HEADER)
    for pair in pairs:
        writer.writerow(pair)
    try:
        place.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise Trouble(f"Cannot write {place}: {error.strerror}.", "Name a file that you may write.", 2) from None


def _bytes(file: Path) -> bytes:
    from deploy.cli.exchange.formats import LARGEST

    try:
        if file.stat().st_size > LARGEST:
            raise Trouble(f"{file} is larger than {LARGEST // 1_000_000} MB.", "Name a questionnaire that another tool wrote.", 2)
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"Cannot read {file}: {error.strerror}.", "Name a questionnaire that another tool wrote.", 2) from None


def _next(report: Report) -> str:
    """What to do with a questionnaire that was written."""
    judge = "judge each `# review:` in it, " if report.to_review else ""
    reviewed = " --reviewed" if report.to_review else ""
    return (
        f"Next: keep it (> survey.yaml), {judge}then `platea survey check survey.yaml` and `platea survey publish survey.yaml{reviewed}`."
    )


def _tell(report: Report, told: Path | None, file: Path, format: str, advice: str = "") -> None:
    """The counts are the last line."""
    for line in [*report.lines(), *([advice] if advice else []), report.last_line()]:
        click.echo(line, err=True)
    if told is None:
        return
    try:
        told.write_bytes(report.document(file.name, format))
    except OSError as error:
        raise Trouble(f"Cannot write {told}: {error.strerror}.", "Name a file that you may write.", 2) from None


TARGETS = ("xlsform", "surveyjs", "ddi")
_ENDINGS = {"xlsform": ".xlsx", "surveyjs": ".json", "ddi": ".xml"}


@click.command(short_help="Write a questionnaire for another tool.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--format", "target", type=click.Choice(TARGETS), required=True, help="The format to write.")
@click.option("--out", "-o", "out", metavar="FILE", type=click.Path(path_type=Path), help="Where to; otherwise the id of the survey, here.")
@click.option("--report", "told", metavar="FILE", type=click.Path(path_type=Path), help="Write the whole report as JSON, too.")
def export(file: Path, target: str, out: Path | None, told: Path | None) -> None:
    """Check the questionnaire in FILE and write it as an XLSForm, as SurveyJS JSON, or as DDI-Codebook 2.5.

    What the format cannot say is named on stderr. XLSForm and SurveyJS carry it in a part of their own, the sheet `platea` or the key
    `x-platea`, which other tools pass over: `platea survey import` gives the same questionnaire again.
    """
    from deploy.cli.exchange.exporting import Target, exported
    from deploy.cli.surveys import read

    instrument = read(file)
    if target != "ddi" and instrument.case_weight is not None:
        raise Trouble(f"{target} is written without a case weight, and {file} has one.", "Take it out of a copy.", 2)
    text = file.read_text(encoding="utf-8").partition("\n---\n")[0] + "\n"
    content, report = exported(text, instrument, cast("Target", target), file.name)
    place = out or Path(f"{instrument.id}{_ENDINGS[target]}")
    try:
        place.write_bytes(content)
    except OSError as error:
        raise Trouble(f"Cannot write {place}: {error.strerror}.", "Name a file that you may write, with --out.", 2) from None
    _tell(report, told, file, target)
    say(f"{place}: {instrument.id} {instrument.version} for other tools.")
