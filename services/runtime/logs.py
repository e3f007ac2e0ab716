"""Log lines with fields: readable for people, or one JSON object a line for a collector.

`log.warning("sentence without values", extra={"survey": survey})`. Fields of every line are `service`, `logger`, `level` and `timestamp`
(UTC, ISO 8601); docs/running.md lists the others. `structlog.contextvars` binds those of a whole task: `partition`, `survey`. No line holds
an answer, a receipt, a token or an address; of an exception it has types and frames, since a message may quote what somebody sent.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor

from services.runtime.error_details import stack_of

LogFormat = Literal["text", "json"]


def configure(service: str, form: LogFormat = "text", level: int = logging.INFO) -> None:
    """Sends what this process logs, libraries included, to standard error. Called once, before anything else."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(service, form))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def formatter(service: str, form: LogFormat) -> logging.Formatter:
    """Returns what turns a record into one line (several where the text form has a stack)."""

    def name_service(logger: Any, method: str, line: EventDict) -> EventDict:
        line["service"] = service
        return line

    shared: list[Processor] = [
        ExtraAdder(),
        _without_empty,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_service,
        _without_messages,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return ProcessorFormatter(foreign_pre_chain=shared, processors=[ProcessorFormatter.remove_processors_meta, renderer])


def _without_empty(logger: Any, method: str, line: EventDict) -> EventDict:
    """Without the fields of which nothing is known."""
    return {name: value for name, value in line.items() if value not in (None, "")}


def _without_messages(logger: Any, method: str, line: EventDict) -> EventDict:
    """Of an exception that a library logs, types and frames alone."""
    record: logging.LogRecord = line["_record"]
    line.pop("exc_info", None)
    if record.exc_info and record.exc_info[1] is not None:
        line["stack"] = stack_of(record.exc_info[1])
    return line
