"""The snapshot: what dashboards receive, a whole picture with a revision, never a difference."""

from __future__ import annotations

import msgspec


class Cell(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A count with its share of those who answered and the 95 % Wilson interval of the share; or a withheld one."""

    n: int | None = None
    share: float | None = None
    ci95: tuple[float, float] | None = None
    withheld: bool = False


class Row(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    answered: int | None = None
    cells: dict[str, Cell] = {}
    withheld: bool = False
    mean: float | None = None
    net_agreement: float | None = None


class Figures(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One question. `cells` for single, multiple and ranking (ranked at all), `rows` for a matrix, `bands` for numbers
    and dates; texts have only `answered`. `sum`, `mean` and `variance` (divisor n - 1) stand in the exact view only."""

    type: str
    answered: int | None = None
    skipped: int | None = None
    missing: int | None = None
    withheld: bool = False
    cells: dict[str, Cell] = {}
    rows: dict[str, Row] = {}
    bands: dict[str, Cell] = {}
    first: dict[str, Cell] = {}
    rank_score: dict[str, float] = {}
    median_band: str | None = None
    mean: float | None = None
    variance: float | None = None
    sum: float | None = None


class Group(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One stratum of a breakdown."""

    responses: int | None = None
    withheld: bool = False
    questions: dict[str, Figures] = {}


class PublishedPolicy(msgspec.Struct, frozen=True):
    name: str
    minimum: int
    batch: int


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """`revision` grows by one with each published state. `as_of` is the UTC second of publication."""

    survey: str
    version: str
    revision: int
    as_of: str
    responses: int
    policy: PublishedPolicy
    questions: dict[str, Figures] = {}
    breakdowns: dict[str, dict[str, Group]] = {}


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """A two-way table: `cells[row code][column code]`. Rows of a matrix question are addressed as "B02.cctv"."""

    survey: str
    version: str
    revision: int
    as_of: str
    row: str
    column: str
    responses: int
    policy: PublishedPolicy
    cells: dict[str, dict[str, Cell]] = {}


def encode(snapshot: Snapshot | Table) -> bytes:
    return msgspec.json.encode(snapshot)
