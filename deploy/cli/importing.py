"""`platea import`: responses that exist already, through the ordinary intake."""

from __future__ import annotations

import io
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from deploy.cli import bulk_sender, mapping, rows, server
from deploy.cli.bulk_sender import BulkSubmission, Sender, SubmissionReply
from deploy.cli.console import Trouble, fail, note, progress, say
from deploy.cli.import_map import read_map
from deploy.cli.mapping import UnfitHeader
from deploy.cli.rows import CsvRow, NdjsonRow, UnreadableFile
from deploy.cli.server import Server, refusal
from deploy.cli.simulating import definition
from proto.instrument import Instrument
from services.runtime.spreadsheet_csv import Writer

FOR_ALL = frozenset({"survey-unknown", "survey-closed", "not-found"})
"""Refusals that no other row would escape."""


@click.command(name="import", short_help="Responses that exist already, from CSV or NDJSON.")
@click.argument("survey", metavar="ID")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--map", "map_file", type=click.Path(path_type=Path), help="The import map from `platea survey draft`: which column answers what."
)
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
@server.options
def command(
    survey: str, file: Path, map_file: Path | None, rejects: Path | None, replace: bool, key_file: Path | None, at_once: int, server: Server
) -> None:
    """Import the responses in FILE into the survey ID, through the ordinary intake with all its checks.

    Without --map, the columns of a CSV file are named after questions: A01 holds a code, B08 codes like "cost;law", B08.cost 1 or 0,
    B02.cctv the code of that row. Each line of an NDJSON file is {"answers": {…}}. The people behind the rows have agreed to take part.

    Refused rows go to a rejects file with line and reasons; the rest is imported, and the exit status is 1. Mend that file and import it.

    Importing again changes nothing: the receipt of a row follows from its content (equal rows are told apart by counting them) and from
    a secret key in <data>/import.key, or ~/.local/share/platea/import.key where there is no data folder. Whoever imports the
    same file from another machine needs the same key (--key), or the rows count again. An interrupted import is simply run again.
    """
    instrument = definition(server, survey)
    key = _key(key_file or _key_place(server))
    job = Import(server, instrument, key, file, replace)
    try:
        entries = job.read_ndjson() if file.suffix.lower() in (".ndjson", ".jsonl") else job.read_csv(map_file)
    except OSError as error:
        raise Trouble(f"Cannot read {file}: {error.strerror}.", "Name a CSV or NDJSON file.") from None
    except UnreadableFile as unreadable:
        raise Trouble(
            f"Cannot import {file}: {unreadable}.", "Save it as CSV in UTF-8 with one row of column names, and try again."
        ) from None
    except UnfitHeader as unfit:
        raise Trouble(f"Cannot import {file}: {unfit}.", "Rename the columns, or give --map; `platea survey draft` makes both.") from None
    try:
        with progress("Rows", len(entries), "rows") as bar:
            bulk_sender.run(job.send(entries, at_once, bar.advance))
    finally:
        refused = job.write_rejects(rejects or file.with_name(file.name + ".rejects" + job.suffix))
    counts = job.counts
    withdrawn = f", {counts['withdrawn']:,} withdrawn since" if counts["withdrawn"] else ""
    replaced = f", {counts['replaced']:,} replaced" if counts["replaced"] else ""
    say(f"{counts['new']:,} imported, {counts['known']:,} there before{replaced}{withdrawn}, {len(job.refused):,} refused.")
    if refused:
        note(f"The refused rows are in {refused}, with line and reasons.")
        fail()


class Import:
    """One file on its way: what was read, what became of it."""

    def __init__(self, server: Server, instrument: Instrument, key: bytes, file: Path, replace: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: dict[int, tuple[CsvRow | NdjsonRow, list[str]]] = {}
        self.suffix = ".csv"
        self._server, self._instrument, self._key, self._file, self._replace = server, instrument, key, file, replace
        self._entries: dict[int, CsvRow | NdjsonRow] = {}
        self._columns: list[str] = []

    def read_csv(self, map_file: Path | None) -> list[BulkSubmission]:
        sheet = rows.read_csv(self._file.read_bytes())
        self._columns = [name for name in sheet.columns if name not in rows.OURS]
        if map_file is None:
            columns = mapping.from_header(sheet.columns, self._instrument)
        else:
            columns = mapping.agreeing(read_map(map_file), sheet.columns, self._instrument)

        def content(row: CsvRow) -> dict[str, Any]:
            answers, reasons = mapping.answers(row.cells or {}, columns, self._instrument)
            if reasons:
                self.refused[row.line] = (row, reasons)
            language = (row.cells or {}).get("language") if "language" not in columns else None
            return {"answers": answers} | ({"language": language} if language else {})

        return list(self._submissions(sheet.rows, content))

    def read_ndjson(self) -> list[BulkSubmission]:
        self.suffix = ".ndjson"

        def content(body: NdjsonRow) -> dict[str, Any]:
            return dict(body.content or {})

        return list(self._submissions(rows.read_ndjson(self._file.read_bytes()), content))

    def _submissions(self, entries: Any, content: Any) -> Iterator[BulkSubmission]:
        sound: list[CsvRow | NdjsonRow] = []
        for entry in entries:
            self._entries[entry.line] = entry
            if entry.fault:
                self.refused[entry.line] = (entry, [entry.fault])
            else:
                sound.append(entry)
        for entry, receipt in zip(sound, rows.receipts(self._key, self._instrument.id, map(rows.content_of, sound)), strict=True):
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
    """Rejected rows as CSV with line and reasons in front, guarded for spreadsheets (`rows.read_csv` undoes that).

    A row without readable cells is kept whole in `import_row`.
    """
    text = io.StringIO()
    writer = Writer(text)
    writer.writerow([*rows.OURS, *columns])
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
