"""`platea survey`: instruments from the first draft to the closing day."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli import exchanging, file_options, qr_code, retaining, review_marks, server, version_report
from deploy.cli.console import Trouble, confirm, fail, out, say, table
from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.datafile.sheet import UnreadableFile
from deploy.cli.datafile.sheet_layout import Hidden
from deploy.cli.import_map import SEPARATOR
from deploy.cli.server import Server, quoted
from proto import author, notice, protection_advice, questionnaire_advice, statement
from proto import instrument as instruments
from proto.instrument import Closing, Instrument, Opening
from proto.nonanswers import scored_by_mistake
from proto.registry import after_grace
from proto.schedule import local

_FILE = click.Path(path_type=Path)


@click.group(name="survey", short_help="Draft, check, compare, publish, list and close surveys.")
def group() -> None:
    """Draft, check, compare, publish, list and close surveys."""


group.add_command(exchanging.import_)
group.add_command(exchanging.export)
group.add_command(qr_code.qr)


@group.command()
@click.argument("file", metavar="FILE", type=_FILE)
def check(file: Path) -> None:
    """Check the instrument in FILE and name every fault with its line. Needs no server."""
    from services.export.dataset.universe import universe

    instrument = read(file)
    questions, sections = len(instrument.asked), len(instrument.sections)
    say(
        f"{file.name} is sound: {instrument.id} {instrument.version}, {questions} question{'s' if questions != 1 else ''} "
        f"in {sections} section{'s' if sections != 1 else ''}, {', '.join(instrument.languages)}."
    )
    say(
        "Everybody may answer it."
        if instrument.participation == "open"
        else f"It is answered by invitation: once published, `platea invite {instrument.id} --count N --out codes.csv` makes the codes."
    )
    if instrument.opens or instrument.closes:
        say(f"It opens {opens(instrument)}, and closes {closes(instrument)}.")
    for quota in instrument.quotas:
        whom = universe(instrument, quota.when, instrument.source_language)
        say(f"Quota {quota.id}: about {quota.limit:,} wanted. {whom}.")
    if not instrument.listed:
        say("No list names it: whoever has its address can answer.")
    if missing := notice.missing(instrument):
        say(f"Advice: the information notice does not say {_listed(missing)}. `data_protection` in the file holds it.")
    if missing := statement.missing(instrument):
        say(f"Advice: the accessibility statement does not say {_listed(missing)}. `accessibility` in the file holds it.")
    if agreeing := notice.contradicts(instrument):
        say(f"Advice: `notice` asks people to agree ({_listed(agreeing)}), yet its legal basis is no consent: let it say they take part.")
    if weak := protection_advice.weaker(instrument.policy):
        say(f"Advice: the policy protects less than usual: {_listed(weak)}. Figures of so few may tell of single people.")
    from services.analysis.disclosure.advice import crowded
    from services.export.dataset.variables import left_out

    if advice := crowded(instrument):
        say(f"Advice: {advice}")
    _show_promise(instrument)
    if names := left_out(instrument):
        say(f"Advice: {_listed(list(names))} will be in no release: a number or date is told by its bands alone, and there are none.")
    if marks := review_marks.marks(file.read_text(encoding="utf-8")):
        say(f"Advice: {len(marks)} marks `# review:` stand in the file, the first in line {marks[0].line}; `publish` waits for them.")
    for name in protection_advice.recognisable(instrument):
        say(f"Advice: somebody can be recognised by the answer to {name}: its role should be identifying, so that it is never released.")
    for question, code, better in scored_by_mistake(instrument):
        say(f"Advice: {code} of {question} is no answer by its words, yet it is scored like one. The code {better} counts it apart.")
    for sentence in questionnaire_advice.advice(instrument, datetime.now(UTC).year):
        say(f"Advice: {sentence}")


def _show_promise(instrument: Instrument) -> None:
    """How far off figures will be where a guarantee is asked for, and whether that leaves anything to see."""
    from services.analysis.disclosure.advice import RESPONDENTS, SIZES, promised

    policy, promise = instrument.policy, promised(instrument)
    if promise is None:
        return
    scope = f"{promise.histograms} histogram{'s' if promise.histograms != 1 else ''} at {promise.editions} editions"
    say(
        f"Differential privacy, epsilon {policy.epsilon:g} and delta {policy.delta:g} for all that is ever published of one person: "
        f"{scope}. Figures are typically off by:"
    )
    grid = table("respondents", "a count", "a share of 50 %", "sampling alone")
    for n in SIZES:
        grid.add_row(f"{n:,}", f"{promise.count:.1f}", f"{promise.of_share(n):.1f} points", f"{promise.of_sampling(n):.1f} points")
    out.print(grid)
    if promise.outweighs:
        say(
            f"Advice: with {RESPONDENTS} respondents noise outweighs the sampling error. Fewer questions with figures, fewer options of "
            "multiple choices, fewer with `crosstab`, fewer strata, or a larger epsilon make it less."
        )


@group.command()
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--dry-run", is_flag=True, help="Show what would change, and publish nothing.")
@click.option("--yes", "-y", is_flag=True, help="Publish without asking, also where earlier answers lose something.")
@click.option("--reviewed", is_flag=True, help="Publish although marks `# review:` stand in the file: all guesses were judged.")
@server.options
def publish(file: Path, dry_run: bool, yes: bool, reviewed: bool, server: Server) -> None:
    """Check the instrument in FILE, then open it. Doing so twice is harmless; a published version never changes.

    Of a new version it is shown what changes, and what earlier answers lose. Where they lose something you are asked first; without a
    terminal nothing is published unless --yes is given. With --dry-run the exit status says whether it would be published without asking:
    0, or 1.

    A draft or an imported questionnaire marks each guess with `# review:`. While such a mark stands nothing is published, unless
    --reviewed says that all of them were judged.
    """
    instrument = read(file)
    if not dry_run and not reviewed:
        _refuse_unreviewed(file)
    stays = _shown(instrument, server, dry_run, yes)
    if dry_run:
        say("Nothing was published.")
        if not stays:
            fail()
        return
    published: dict[str, Any] = server.ask("POST", "/api/v1/surveys", instruments.encode(instrument))
    where = f"open at {server.url}/s/{instrument.id}"
    if published["current"] != instrument.version:
        say(
            f"{instrument.id} {instrument.version} was published before, and nothing has changed: the current version is "
            f"{published['current']}, {where if published['open'] else 'and the survey is closed'}."
        )
    elif published["state"] == "coming":
        say(f"{instrument.id} {instrument.version} is published, and will open at {server.url}/s/{instrument.id}: {opens(instrument)}.")
    elif published["open"]:
        say(f"{instrument.id} {instrument.version} is {where}")
        say(f"Its figures: {server.url}/live/{instrument.id}, once {instrument.policy.minimum} people have answered.")
    else:
        say(f"{instrument.id} {instrument.version} was published before, and the survey is closed; a higher version opens it again.")


def _refuse_unreviewed(file: Path) -> None:
    marks = review_marks.marks(file.read_text(encoding="utf-8"))
    if marks:
        first = "; ".join(f"line {mark.line}: {mark.guess}" for mark in marks[:3]) + ("; …" if len(marks) > 3 else "")
        raise Trouble(
            f"{file} holds {len(marks)} guess{'es' if len(marks) > 1 else ''} that nobody has judged ({first}); nothing was published.",
            "Judge each and take its mark `# review:` away, or say --reviewed.",
        )


def _shown(instrument: Instrument, server: Server, dry_run: bool, yes: bool) -> bool:
    """Shows what a new version changes, and asks where answers are lost. Whether it would be published without asking."""
    listed: list[dict[str, Any]] = server.ask("GET", "/api/v1/surveys?closed=true", public=True)
    known = next((entry for entry in listed if entry["id"] == instrument.id), None)
    path = f"/api/v1/surveys/{quoted(instrument.id)}"
    if known is None:
        if dry_run:
            say(f"{instrument.id} is a new survey.")
        return True
    if instrument.version in known["versions"]:
        same = not dry_run or _published(server, f"{path}?version={quoted(instrument.version)}") == instrument
        if dry_run:
            say(f"{instrument.id} {instrument.version} is published already{'' if same else ', with other content: raise `version`'}.")
        return same
    current = _published(server, path)
    report = version_report.report(current, instrument, _figures(server, path))
    report.show(current, instrument)
    if dry_run:
        return not report.refused and (yes or not report.losing)
    if report.refused:
        raise Trouble(
            " ".join(report.refused), "Correct the file, or publish it as another survey with another `id`; nothing was published."
        )
    if report.losing and not yes:
        if not sys.stdin.isatty():
            raise Trouble(
                "Answers would be lost, and there is nobody here to ask: nothing was published.", "`--yes` publishes all the same."
            )
        confirm(report.sentence(), instrument.version, yes)
    return True


def _published(server: Server, path: str) -> Instrument:
    return msgspec.convert(server.ask("GET", path, public=True), Instrument)


def _figures(server: Server, path: str) -> dict[str, Any] | None:
    """The exact figures; None where they are not to be had now."""
    try:
        return server.get(f"{path}/aggregates?view=exact")
    except Trouble:
        return None


@group.command()
@click.argument("old", metavar="OLD", type=_FILE)
@click.argument("new", metavar="NEW", type=_FILE)
def diff(old: Path, new: Path) -> None:
    """Show what the instrument in NEW changes of that in OLD. Needs no server.

    Exit status 1 where publishing it would be refused, or where earlier answers may lose something.
    """
    before, after = read(old), read(new)
    report = version_report.report(before, after)
    report.show(before, after)
    if report.refused or report.losing:
        fail()


@group.command(name="list")
@server.options
def list_(server: Server) -> None:
    """List the surveys of the server."""
    grid = table("survey", "version", "state", "languages", "title")
    surveys: list[dict[str, Any]] = server.ask("GET", "/api/v1/surveys?closed=true", public=True)
    for survey in surveys:
        title: str = survey["title"][survey["source_language"]]
        grid.add_row(survey["id"], survey["version"], standing(survey), ", ".join(survey["languages"]), title)
    if surveys:
        out.print(grid)
    else:
        say("No surveys yet. `platea survey publish FILE` opens one.")


def standing(survey: dict[str, Any]) -> str:
    """A survey of the list: open, closed, or when it will be, and whether the list for everybody names it."""
    match survey["state"]:
        case "coming":
            told = f"opens {survey['opens']}"
        case "open" if survey["closes"]:
            told = f"open until {survey['closes']}"
        case "ending":
            told = "closed, but to those who have begun"
        case state:
            told = state
    return told if survey["listed"] else f"{told}, not listed"


@group.command()
@click.argument("survey", metavar="ID")
@server.options
def quotas(survey: str, server: Server) -> None:
    """Show how full the quotas of the survey ID are. These are exact counts, for organisers alone: publish none of them."""
    show_quotas(survey, server.get(f"/api/v1/surveys/{quoted(survey)}/aggregates?view=exact").get("quotas", {}))


def show_quotas(survey: str, counts: dict[str, dict[str, Any]]) -> None:
    """`counts`: for each quota how many meet it, and how many are wanted, as in the exact view."""
    if not counts:
        say(f"{survey} has no quotas.")
        return
    grid = table("quota", "counted", "wanted", "state")
    for id, quota in counts.items():
        grid.add_row(id, f"{quota['counted']:,}", f"{quota['limit']:,}", "full" if quota.get("full") else "open")
    out.print(grid)


@group.command()
@click.argument("survey", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask, where closing has the answers deleted soon.")
@server.options
def close(survey: str, yes: bool, server: Server) -> None:
    """Close the survey ID: no new answers, no changes; respondents can still withdraw. `platea survey reopen ID` opens it again.

    Where a day is set on which its answers are deleted (`platea retention ID`), closing lets that day come; it asks first if they go
    within seven days.
    """
    path = f"/api/v1/surveys/{quoted(survey)}"
    retention: dict[str, Any] = server.get(f"{path}/retention")
    first = after_grace(retaining.today())
    if retention["open"] and retention["on"] is not None and retention["on"] <= first:
        confirm(
            f"{retaining.answers(server, survey)} to {survey} will be deleted for good from {first} on, once it is closed.", survey, yes
        )
    server.ask("POST", f"{path}/close", b"{}")
    say(f"{survey} is closed.")
    if retention["on"] is not None:
        say(retaining.sentence(survey, server.get(f"{path}/retention")))


@group.command()
@click.argument("survey", metavar="ID")
@server.options
def reopen(survey: str, server: Server) -> None:
    """Open the closed survey ID again, with the version it has. Answers that are deleted do not come back; then it stays closed."""
    opened: dict[str, Any] = server.ask("POST", f"/api/v1/surveys/{quoted(survey)}/reopen", b"{}")
    coming = opened["state"] == "coming"
    say(f"{survey} {opened['version']} {'will open on its day' if coming else 'is open'} at {server.url}/s/{survey}")


@group.command()
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--out", "-o", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write two files into DIR instead of printing."
)
@file_options.options
def draft(
    file: Path,
    folder: Path | None,
    encoding: str | None,
    separator: str | None,
    header: tuple[str, ...] | None,
    sheet: str | None,
    hidden: Hidden | None,
) -> None:
    """Draft an instrument and an import map from data collected elsewhere, a CSV file or an Excel workbook.

    Distinct labels become options, column groups like Q4_1 … Q4_7 one multiple choice, whole numbers get bands, long text becomes free
    text. Each guess is marked `# review:`: judge it and take the mark away, then publish and import. Without --out both are printed, one
    after the other, into one file that `platea survey publish` and `platea import --map` both take.
    """
    from deploy.cli.drafting.draft import UndraftableData
    from deploy.cli.drafting.draft import draft as drafted

    options = file_options.merged(FileOptions(), encoding, separator, header, sheet, hidden)
    try:
        read = read_sheet(file.read_bytes(), options)
        instrument, import_map = drafted(read, file.name, file_options.said(options, read))
    except OSError as error:
        raise Trouble(f"Cannot read {file}: {error.strerror}.", "Name a CSV or Excel file.") from None
    except UnreadableFile as unreadable:
        raise Trouble(
            f"Cannot read {file}: {unreadable}.", "See `platea survey draft --help` for what can be said of a file, and try again."
        ) from None
    except UndraftableData as unfit:
        raise Trouble(
            f"Nothing can be drafted from {file}: {unfit}.", "Give a file with one row of column names and rows of answers."
        ) from None
    if folder is None:
        say(instrument.rstrip("\n") + SEPARATOR + import_map.rstrip("\n"))
        return
    survey, map_ = folder / f"{file.stem}.yaml", folder / f"{file.stem}.map.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in ((survey, instrument), (map_, import_map)):
            with path.open("x", encoding="utf-8") as opened:
                opened.write(text)
    except FileExistsError as error:
        raise Trouble(f"{error.filename} is there already, perhaps with your edits.", "Move it away, or name another folder.") from None
    except OSError as error:
        raise Trouble(f"Cannot write to {folder}: {error.strerror}.", "Name a folder that you may write to.") from None
    say(f"{survey}: the instrument. Judge its marks `# review:`, then `platea survey publish {survey}`.")
    say(f"{map_}: the import map, for `platea import ID {file} --map {map_}`.")


def opens(instrument: Instrument) -> str:
    """When it opens."""
    return "now" if instrument.opens is None else _told(instrument.opens)


def closes(instrument: Instrument) -> str:
    """When it closes."""
    moment = instrument.closes
    if moment is None:
        return "when it is closed by hand"
    return f"{_told(moment)}; those who have begun may send for {moment.grace_minutes} minutes more"


def _told(moment: Opening | Closing) -> str:
    """By the clocks of its zone, and by UTC."""
    return f"{moment.at}, {moment.zone}" + ("" if moment.zone == "UTC" else f" ({local(moment).astimezone(UTC):%Y-%m-%d %H:%M} UTC)")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def read(file: Path) -> Instrument:
    """The instrument in a file; its faults are printed with their lines, and the command ends."""
    try:
        loaded = author.load(file)
    except OSError as error:
        raise Trouble(
            f"Cannot read {file}: {error.strerror}.", "Name an instrument file, such as one that `platea survey draft` wrote."
        ) from None
    if isinstance(loaded, Instrument):
        return loaded
    for fault in loaded:
        say(str(fault))
    count = len(loaded)
    raise Trouble(
        f"{file} has {count} fault{'s' if count != 1 else ''}.", "Correct them, then `platea survey check` it again; nothing was published."
    )
