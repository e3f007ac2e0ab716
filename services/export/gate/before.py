"""The gate before protection: from responses as codes to what the protecting core may start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.export.dataset.profiles import WIDE, Profile
from services.export.dataset.variables import Variable
from services.export.gate import ledger
from services.export.gate.advice import rules_of
from services.export.gate.ledger import LedgerKeys, People, StoredLedger
from services.export.gate.quasi_identifiers import QuasiIdentifierTable
from services.export.gate.refused import ReleaseRefused
from services.export.protect.sequence import Ledger, SequenceRules


@dataclass(frozen=True)
class Admitted:
    """Input of protection, for release `number`.

    `answers`: the responses as codes, a column per variable. `order[i]`: the row of `answers` that is row i of `people` and `table`; rows
    are sorted by the keyed hash of the response, so that the order of `answers` leaves no trace. `book`: the stored ledger, None before the
    first release. `former`: the same as the protecting core takes it.
    """

    columns: list[Variable]
    answers: pd.DataFrame
    profile: Profile
    keys: LedgerKeys
    number: int
    book: StoredLedger | None
    order: NDArray[np.int64]
    people: People
    table: QuasiIdentifierTable
    rules: SequenceRules
    former: Ledger | None


def admit(
    columns: list[Variable],
    answers: pd.DataFrame,
    profile: Profile,
    people: People,
    keys: LedgerKeys,
    number: int,
    book: StoredLedger | None,
) -> Admitted:
    """What release `number` starts from. `people[i]`: the keyed hash of the response in row i of `answers`.

    Raises ReleaseRefused where responses are too few, where a quasi-identifier has no hierarchy, or where `book` no longer fits the survey.
    """
    if len(answers) < profile.minimum:
        raise ReleaseRefused(f"There are {len(answers)} responses; a {profile.name} release needs {profile.minimum}. Wait for more.")
    order = np.argsort(people, kind="stable")
    table = QuasiIdentifierTable.of(columns, answers, WIDE.units, order)
    former = ledger.before(book, number, table.hierarchies, keys)
    return Admitted(columns, answers, profile, keys, number, book, order, people[order], table, rules_of(table), former)
