"""`platea import`: responses that exist already, through the ordinary intake."""

from __future__ import annotations

import io
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli import bulk_sender, file_options, import_map, import_report, mapping, names_file, rows, server
from deploy.cli.answering import Answering
from deploy.cli.bulk_sender import BulkSubmission, Sender, SubmissionReply
from deploy.cli.console import Trouble, fail, note, progress, say
from deploy.cli.datafile.reading import FileOptions, read_sheet
from deploy.cli.datafile.sheet import OURS, CsvRow, UnreadableFile
from deploy.cli.datafile.sheet_layout import Hidden
from deploy.cli.dry_run import checked, there_before
from deploy.cli.import_map import SEPARATOR, ImportMap, RowChoice
from deploy.cli.mapping import ColumnMapping, UnfitHeader
from deploy.cli.rows import NdjsonRow
from deploy.cli.server import Server, refusal
from deploy.cli.simulating import definition
from proto.instrument import Instrument
from services.runtime.spreadsheet_csv import Writer

FOR_ALL = frozenset({"survey-unknown", "survey-closed", "survey-not-open", "not-found"})
"""Refusals that no other row would escape."""


@click.command(name="import", short_help="Responses that exist already, from CSV, Excel or NDJSON.")
@click.argument("survey", metavar="ID")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--map", "map_file", type=click.Path(path_type=Path), help="The import map from `platea survey draft`: which column answers what."
)
@click.option(
    "--names",
    "names_file_",
    type=click.Path(path_type=Path),
    help="Names old and new, of `platea survey import --names`.",
)
@click.option("--dry-run", is_flag=True, help="Show for each column what was understood and what would be refused, and send nothing.")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where refused rows go.  [default: FILE.rejects.csv or .ndjson]"
)
@click.option(
    "--replace", is_flag=True, help="Rows imported before with other answers (the map was mended) are replaced instead of refused."
)
@click.option(
    "--key", "key_file", type=click.Path(dir_okay=False, path_type=Path), help="The key of the receipts.  [default: <data>/import.key]"
)
@click.option("--at-once", type=click.IntRange(1, 1024), default=64, show_default=True, help="Connections in use.")
@file_options.options
@server.options
def command(
    survey: str,
    file: Path,
    map_file: Path | None,
    names_file_: Path | None,
    dry_run: bool,
    rejects: Path | None,
    replace: bool,
    key_file: Path | None,
    at_once: int,
    encoding: str | None,
    separator: str | None,
    header: tuple[str, ...] | None,
    sheet: str | None,
    hidden: Hidden | None,
    server: Server,
) -> None:
    """Import the responses in FILE into the survey ID, through the ordinary intake with all its checks.

    Without --map, the columns of a CSV file are named after questions: A01 holds a code, B08 codes like "cost;law", B08.cost 1 or 0,
    B02.cctv the code of that row. Each line of an NDJSON file is {"answers": {…}}. The people behind the rows have agreed to take part.

    Nothing is guessed: a cell that can mean two things, or a label without a code, has its row refused. --dry-run shows beforehand what
    each column is taken for. Refused rows go to a rejects file with line and reasons; the rest is imported, and the exit status is 1.
    Mend that file and import it.

    Importing again changes nothing: the receipt of a row follows from its content (equal rows are told apart by counting them) and from
    a secret key in <data>/import.key, or ~/.local/share/platea/import.key where there is no data folder. Whoever imports the
    same file from another machine needs the same key (--key), or the rows count again. An interrupted import is simply run again.
    """
    if map_file is not None and names_file_ is not None:
        raise Trouble("A map and a file of names both say what the columns answer.", "Name one of them: --map or --names.")
    map_ = _read_map(map_file) if map_file is not None else None
    names = _read_names(names_file_) if names_file_ is not None else None
    if map_ is not None and map_.survey != survey:
        raise Trouble(f"The import map is for {map_.survey}, not for {survey}.", "Name that survey, or the map of this one.")
    instrument = definition(server, survey)
    place = key_file or _key_place(server)
    key = _key(place) if not dry_run or place.exists() else b""
    job = Import(server, instrument, key, file, map_, replace, names)
    options = file_options.merged(map_.options if map_ else FileOptions(), encoding, separator, header, sheet, hidden)
    try:
        entries = job.read_ndjson() if file.suffix.lower() in (".ndjson", ".jsonl") else job.read_table(options, dry_run)
    except OSError as error:
        raise Trouble(f"Cannot read {file}: {error.strerror}.", "Name a CSV, Excel or NDJSON file.") from None
    except UnreadableFile as unreadable:
        raise Trouble(
            f"Cannot import {file}: {unreadable}.", "See `platea import --help` for what can be said of a file, and try again."
        ) from None
    except UnfitHeader as unfit:
        raise Trouble(
            f"Cannot import {file}: {unfit}.", "Rename the columns, or correct the --map; `platea survey draft` makes one."
        ) from None
    if dry_run:
        if not job.shown(entries, at_once):
            fail()
        return
    for sentence in job.undeclared():
        note(sentence)
    try:
        with progress("Rows", len(entries), "rows") as bar:
            bulk_sender.run(job.send(entries, at_once, bar.advance))
    finally:
        refused = job.write_rejects(rejects or file.with_name(file.name + ".rejects" + job.suffix))
    counts = job.counts
    withdrawn = f", {counts['withdrawn']:,} withdrawn since" if counts["withdrawn"] else ""
    replaced = f", {counts['replaced']:,} replaced" if counts["replaced"] else ""
    left = f", {counts['left out']:,} left out as the map says" if counts["left out"] else ""
    say(f"{counts['new']:,} imported, {counts['known']:,} there before{replaced}{withdrawn}{left}, {len(job.refused):,} refused.")
    if refused:
        note(f"The refused rows are in {refused}, with line and reasons.")
        fail()


class Import:
    """One file on its way: what was read, what became of it."""

    def __init__(
        self,
        server: Server,
        instrument: Instrument,
        key: bytes,
        file: Path,
        map_: ImportMap | None,
        replace: bool,
        names: list[tuple[str, str]] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: dict[int, tuple[CsvRow | NdjsonRow, list[str]]] = {}
        self.suffix = ".csv"
        self._server, self._instrument, self._key, self._file, self._replace = server, instrument, key, file, replace
        self._map = map_
        self._names = names
        self._entries: dict[int, CsvRow | NdjsonRow] = {}
        self._columns: list[str] = []
        self._unmapped: list[str] = []
        self._understood = ""
        self._answering: Answering | None = None

    def read_table(self, options: FileOptions, dry_run: bool) -> list[BulkSubmission]:
        """Raises UnreadableFile and UnfitHeader. A dry run shows columns that the map does not name instead of raising."""
        sheet = read_sheet(self._file.read_bytes(), options)
        self._understood = sheet.understood
        self._columns = [name for name in sheet.columns if name not in OURS]
        if self._names is not None:
            named = names_file.columns(self._names, self._columns, self._instrument)
            self._map = ImportMap("platea-import/1", self._instrument.id, named)
        map_ = self._map
        if map_ is None:
            columns = mapping.from_header(sheet.columns, self._instrument)
        else:
            columns = mapping.agreeing(map_.columns, sheet.columns, self._instrument)
            self._check_beside(map_, columns, dry_run)
        weighed = self._weighed(map_, columns)
        answering = self._answering = Answering(columns | weighed, self._instrument, (row.cells or {} for row in sheet.rows), map_)
        read_language = _language(map_, columns)

        def content(row: CsvRow) -> dict[str, Any]:
            answers, reasons = answering.answers(row.cells or {}, row.line)
            language, reason = read_language(row.cells or {})
            if reasons := [*reasons, *([reason] if reason else [])]:
                self.refused[row.line] = (row, reasons)
            return {"answers": answers} | ({"language": language} if language else {})

        return list(self._submissions(self._kept(sheet.rows), content, self._content_of(columns)))

    def _content_of(self, columns: Mapping[str, ColumnMapping]) -> Callable[[CsvRow], bytes]:
        """What makes a row the same row. Under a map of format 1 all its cells do, so that what was imported with one stays known."""
        map_, instrument = self._map, self._instrument
        if map_ is None or map_.format == "platea-import/1":
            return rows.content_of
        if map_.rows.identity:
            return lambda row: rows.identified_by(row, map_.rows.identity)
        return lambda row: rows.answered_by(row, columns, instrument)

    def _check_beside(self, map_: ImportMap, columns: Mapping[str, ColumnMapping], dry_run: bool) -> None:
        absent = [name for name in [*map_.rows.keep, *map_.rows.identity] if name not in self._columns]
        if absent:
            raise UnfitHeader(f"the map names the column {absent[0]!r} under rows, which the file does not have")
        beside = map_.beside()
        self._unmapped = [name for name in self._columns if name and name not in columns and name not in beside]
        if self._unmapped and map_.format == "platea-import/2" and not dry_run:
            raise UnfitHeader(f"the map names {', '.join(map(repr, self._unmapped[:5]))} neither under columns nor under ignored")

    def _weighed(self, map_: ImportMap | None, columns: Mapping[str, ColumnMapping]) -> dict[str, ColumnMapping]:
        """The column of the weights. It makes no row another row: mended weights are replaced."""
        if map_ is None or (said := map_.weight) is None:
            return {}
        weight = mapping.weighing(said.column, self._columns, columns, self._instrument)
        return {said.column: ColumnMapping(weight.id, missing=said.missing, numbers=said.numbers)}

    def _kept(self, sheet: list[CsvRow]) -> Iterator[CsvRow]:
        """The rows that the map keeps. A row whose identity is empty or another row's is refused."""
        rules = self._map.rows if self._map else RowChoice()
        first: dict[tuple[str, ...], int] = {}
        for row in sheet:
            cells = row.cells
            if cells is not None and any(cells[name] not in kept for name, kept in rules.keep.items()):
                self.counts["left out"] += 1
                continue
            identity = tuple(cells[name] for name in rules.identity) if cells is not None else ()
            if identity and not any(identity):
                row = replace(row, fault="the columns that tell rows apart are empty")
            elif identity and identity in first:
                row = replace(row, fault=f"the row is known by the same cells as line {first[identity]}")
            elif identity:
                first[identity] = row.line
            yield row

    def undeclared(self) -> Iterator[str]:
        """Signs of no answer that the map does not declare, and columns that it does not name."""
        if self._answering is not None:
            yield from import_report.undeclared(self._answering)
        weight = self._instrument.case_weight
        if weight is not None and self._map is not None and self._map.weight is None:
            yield f"Figures are weighted by {weight.id}, and the map names no column under weight: these rows count in no weighted figure."
        if self._unmapped:
            yield f"The map does not name {', '.join(map(repr, self._unmapped[:5]))}: not imported."

    def shown(self, submissions: list[BulkSubmission], at_once: int) -> bool:
        """Shows what was understood, and checks every row as intake would. Returns whether nothing would be refused."""
        digests: dict[BulkSubmission, str] = {}
        for submission, found in checked(submissions, self._server, self._instrument):
            if isinstance(found, str):
                digests[submission] = found
            else:
                self.refused[submission.place] = (self._entries[submission.place], found)
        say(f"{self._file.name}: {self._understood or 'NDJSON'}")
        if self._answering is not None:
            for line in import_report.lines(self._answering, self._map, self._unmapped):
                say(line)
        for line in sorted(self.refused)[: import_report.MOST_EXAMPLES * 3]:
            say(f"refused       line {line}: {'; '.join(self.refused[line][1])}")
        left = f", leave out {self.counts['left out']:,}" if self.counts["left out"] else ""
        before = self._there_before(digests, at_once)
        say(f"Would import {len(digests):,}, refuse {len(self.refused):,}{left}. Nothing was sent.{before}")
        return not self.refused and not self._unmapped

    def _there_before(self, digests: Mapping[BulkSubmission, str], at_once: int) -> str:
        """Empty without the key of the receipts, by which rows are known."""
        if not self._key or self._server.token is None:
            return ""
        with progress("Rows there before", len(digests), "rows") as bar:
            known = bulk_sender.run(there_before(digests, self._server, self._instrument.id, at_once, bar.advance))
        return "" if known is None else import_report.there_before(known, self._replace)

    def read_ndjson(self) -> list[BulkSubmission]:
        self.suffix = ".ndjson"

        def content(body: NdjsonRow) -> dict[str, Any]:
            return rows.whole_numbers(body.content or {})

        return list(self._submissions(rows.read_ndjson(self._file.read_bytes()), content, rows.content_of))

    def _submissions(self, entries: Any, content: Any, content_of: Any) -> Iterator[BulkSubmission]:
        sound: list[CsvRow | NdjsonRow] = []
        for entry in entries:
            self._entries[entry.line] = entry
            if entry.fault:
                self.refused[entry.line] = (entry, [entry.fault])
            else:
                sound.append(entry)
        for entry, receipt in zip(sound, rows.receipts(self._key, self._instrument.id, map(content_of, sound)), strict=True):
            body = {"version": self._instrument.version, "consent": True} | content(entry)
            if entry.line not in self.refused:
                yield BulkSubmission(entry.line, receipt, msgspec.json.encode(body))

    async def send(self, submissions: list[BulkSubmission], at_once: int, advance: Any) -> None:
        async with Sender(self._server.url, self._instrument.id, at_once, self._server.token) as sender:
            async for reply in sender.send_all(submissions):
                advance()
                if reply.status == 409 and self._replace:
                    reply = await sender.replace(reply.submission)
                    if reply.status in (200, 202):
                        self.counts["replaced"] += 1
                        continue
                self._take(reply)

    def _take(self, reply: SubmissionReply) -> None:
        match reply.status:
            case 201:
                self.counts["new"] += 1
            case 200:
                self.counts["known"] += 1
            case 410:  # the respondent took it back: importing again must not undo that
                self.counts["withdrawn"] += 1
            case _:
                code, reasons = _reasons(reply.body)
                if code in FOR_ALL:
                    raise refusal(reply.status, reply.body, self._server)
                self.refused[reply.submission.place] = (self._entries[reply.submission.place], reasons or [f"status {reply.status}"])

    def write_rejects(self, path: Path) -> Path | None:
        """The refused rows in the order of the file; None where there are none."""
        if not self.refused:
            return None
        entries = [self.refused[line] for line in sorted(self.refused)]
        text = _ndjson(entries) if self.suffix == ".ndjson" else _csv(entries, self._columns)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise Trouble(f"Cannot write the refused rows to {path}: {error.strerror}.", "Name another place with --rejects.") from None
        return path


def _csv(entries: list[tuple[CsvRow | NdjsonRow, list[str]]], columns: list[str]) -> str:
    """Rejected rows as CSV with line and reasons in front, guarded for spreadsheets (`read_sheet` undoes that).

    A row without readable cells is kept whole in `import_row`.
    """
    text = io.StringIO()
    writer = Writer(text)
    writer.writerow([*OURS, *columns])
    for row, reasons in entries:
        cells = row.cells if isinstance(row, CsvRow) else None
        values = [cells[name] for name in columns] if cells else [""] * len(columns)
        writer.writerow([row.line, "; ".join(reasons), "" if cells else row.raw, *values])
    return text.getvalue()


def _ndjson(entries: list[tuple[CsvRow | NdjsonRow, list[str]]]) -> str:
    lines = [
        {"line": row.line, "reasons": reasons, "row": row.content if isinstance(row, NdjsonRow) and row.content else row.raw}
        for row, reasons in entries
    ]
    return "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)


def _reasons(body: bytes) -> tuple[str, list[str]]:
    try:
        problem: Any = msgspec.json.decode(body)
        code = str(problem["type"]).rsplit("/", 1)[-1]
        if code == "receipt-in-use":
            return code, ["imported before with other answers; --replace changes them"]
        faults = [f"{fault['pointer'].removeprefix('/answers/')}: {fault['detail']}" for fault in problem.get("errors", [])]
        return code, faults or [str(problem["title"])]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "", []


def _read_map(path: Path) -> ImportMap:
    """The map in a file of its own, or the second document of what `platea survey draft` printed. Raises Trouble."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Trouble(f"Cannot read {path}: {error.strerror}.", "Name the import map that `platea survey draft` made.") from None
    except UnicodeDecodeError:
        raise Trouble(f"Cannot read {path}: it is not UTF-8 text.", "Save it as UTF-8.") from None
    text = text.replace("\r\n", "\n")
    before, _, rest = text.rpartition(SEPARATOR)
    found = import_map.read(rest, path.name, before.count("\n") + 2 if before else 0)
    if isinstance(found, ImportMap):
        return found
    raise Trouble(
        f"{path} is not an import map: {'; '.join(map(str, found[:5]))}.", "Correct it, or make a new one with `platea survey draft`."
    )


def _read_names(path: Path) -> list[tuple[str, str]]:
    """Raises Trouble."""
    try:
        return names_file.read(path.read_bytes())
    except OSError as error:
        raise Trouble(f"Cannot read {path}: {error.strerror}.", "Name the file that `platea survey import --names` wrote.") from None
    except UnreadableFile as unreadable:
        raise Trouble(f"Cannot read {path}: {unreadable}.", "Name the file that `platea survey import --names` wrote.") from None


def _language(map_: ImportMap | None, columns: Mapping[str, ColumnMapping]) -> Callable[[Mapping[str, str]], tuple[str, str]]:
    """Reads the language of a row: the code, or the reason why there is none. Without a map of format 2 it stands in `language`."""
    if map_ is None or map_.format == "platea-import/1":
        return lambda cells: (cells.get("language", "") if "language" not in columns else "", "")
    said = map_.language
    if said is None:
        return lambda _cells: ("", "")

    def read(cells: Mapping[str, str]) -> tuple[str, str]:
        cell = cells.get(said.column, "")
        if not said.codes or not cell:
            return cell, ""
        return said.codes.get(cell, ""), "" if cell in said.codes else f"{said.column}: {cell[:80]!r} has no code under language"

    return read


def _key_place(server: Server) -> Path:
    if server.data is not None and server.data.is_dir():
        return server.data / "import.key"
    share = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(share) / "platea" / "import.key"


def _key(path: Path) -> bytes:
    """The secret in the file; a new one is made where there is none."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        key = path.read_text(encoding="ascii").strip().encode()
    except FileExistsError:
        return _key(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(
            f"Cannot use the import key {path}: {getattr(error, 'strerror', 'not text')}.", "Name another file with --key."
        ) from None
    if len(key) < 32:
        raise Trouble(
            f"The import key {path} is too short to be one.", "Move it away and a new one is made; rows imported with it would count again."
        )
    return key
