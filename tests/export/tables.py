"""Releases of a small questionnaire with every kind of question, to write or read back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd

from deploy.cli.respondents import Population
from proto.answers import Reader
from proto.author import bundled, load, read
from proto.codebook import CodeBook
from proto.instrument import Instrument
from proto.manifest import Manifest
from services.export.bundle.signing import Signer
from services.export.dataset.profiles import PROFILES
from services.export.dataset.table import Dataset, Passage, PassageQuestion, Passages
from services.export.dataset.variables import Encoder, Variable, variables
from services.export.gate.after import Protected
from services.export.gate.ledger import LedgerKeys
from services.export.pipeline import protected_table
from services.export.release import policy_of, table_of, write
from services.export.report.of_release import files, report_on
from services.export.report.report import ReleaseReport
from tests.builders.bundled import TODAY

_MANY = "\n".join(f"      - {{code: u{n:03}, en: Unit {n}, fr: Unité {n}}}" for n in range(260))

_LONG = "No, not at all, " + "and I say so again " * 6 + "so that short labels have to be cut"

EVERY_KIND = f"""
format: platea-instrument/1
id: every-kind
version: "0.1.0"
source_language: en
languages: [en, fr]
title: {{en: "Every kind – “quoted”, déjà vu", fr: "De toute sorte"}}
notice: {{en: "I agree.", fr: "J'accepte."}}
hierarchies:
  age: {{levels: [exact, band, "*"], bands: [["16-49", "50+"]]}}
  district: {{levels: [district, side, "*"], map: {{old: north, harbour: south, hill: south, pnts: pnts}},
    labels: {{north: {{en: North, fr: Nord}}, south: {{en: South, fr: Sud}}, pnts: {{en: Not told, fr: Non précisé}}}}}}
scales:
  agree:
    - {{code: "1", en: "{_LONG}", fr: "Non"}}
    - {{code: "2", en: "Yes", fr: "Oui"}}
    - {{code: dk, en: "Don't know", fr: "Ne sait pas"}}
sections:
  - id: A
    text: {{en: You, fr: Vous}}
questions:
  - id: A1
    var: age
    section: A
    type: integer
    text: {{en: "How old are you?", fr: "Quel âge avez-vous ?"}}
    min: 16
    max: 120
    bands: ["16-29", "30-49", "50-64", "65+"]
    special:
      - {{code: pnts, en: "Prefer not to say", fr: "Ne souhaite pas répondre"}}
    privacy: {{role: quasi_identifier, hierarchy: age}}
  - id: A2
    var: district
    section: A
    type: single
    required: true
    text: {{en: "Where do you live?", fr: "Où habitez-vous ?"}}
    options:
      - {{code: old, en: "Old town", fr: "Vieille ville"}}
      - {{code: harbour, en: "Harbour", fr: "Port"}}
      - {{code: hill, en: "Hill", fr: "Colline"}}
      - {{code: pnts, en: "Prefer not to say", fr: "Ne souhaite pas répondre"}}
    privacy: {{role: quasi_identifier, hierarchy: district}}
  - id: A3
    var: reasons
    section: A
    type: multiple
    text: {{en: "Why?", fr: "Pourquoi ?"}}
    options:
      - {{code: market, en: "Same label", fr: "Marché"}}
      - {{code: a-long.and+odd-code-of-more-than-32, en: "Same label", fr: "Amis"}}
      - {{code: none, en: "Nothing", fr: "Rien", exclusive: true}}
    privacy: {{role: sensitive}}
  - id: A4
    var: statements
    section: A
    type: matrix
    ordered: true
    text: {{en: "How far do you agree?", fr: "Dans quelle mesure ?"}}
    scale: agree
    rows:
      - {{code: safe, en: "I feel safe.", fr: "Je m'y sens bien."}}
      - {{code: light, en: "It is light.", fr: "Il y a de la lumière."}}
    show_if: {{q: A3, op: any_in, value: [market, none]}}
    privacy: {{role: insensitive}}
  - id: A5
    var: rank
    section: A
    type: ranking
    rank_count: 2
    text: {{en: "The best two", fr: "Les deux meilleurs"}}
    options:
      - {{code: a, en: A, fr: A}}
      - {{code: b, en: B, fr: B}}
      - {{code: c, en: C, fr: C}}
    privacy: {{role: insensitive}}
  - id: A6
    var: unit
    section: A
    type: single
    text: {{en: "Which unit?", fr: "Quelle unité ?"}}
    options:
{_MANY}
    privacy: {{role: insensitive}}
  - id: A7
    var: since
    section: A
    type: date
    text: {{en: "Since when?", fr: "Depuis quand ?"}}
    min: 1990-01
    bands: ["1990-2009", "2010+"]
    special:
      - {{code: dk, en: "Not known", fr: "Ne sait pas"}}
      - {{code: never, en: "Never", fr: "Jamais"}}
    privacy: {{role: insensitive}}
  - id: A9
    var: split
    section: A
    type: constant_sum
    text: {{en: "Ten points", fr: "Dix points"}}
    rows:
      - {{code: police, en: Police, fr: Police}}
      - {{code: light, en: Light, fr: Lumière}}
    total: 10
    privacy: {{role: insensitive}}
  - id: A8
    var: wish
    section: A
    type: long_text
    text: {{en: "Your wish", fr: "Votre souhait"}}
    privacy: {{role: free_text}}
"""


SAID = [("en", 'It said "stop",\nand we stopped'), ("fr", "=SOMME(A1)"), ("", "- déjà vu; 1,5 km")]
PASSAGES = Passages(
    (PassageQuestion("wish", "A8", {"en": "Your wish", "fr": "Votre souhait"}, 40, 3, 2, 35, 3),),
    tuple(Passage("wish", language, text) for language, text in SAID),
)


def every_kind() -> Instrument:
    found = read(EVERY_KIND, "every-kind.yaml", lambda name: "")
    assert isinstance(found, Instrument), found
    return found


def answers(instrument: Instrument, count: int, seed: int = 3) -> tuple[Reader, list[object]]:
    """Plausible answers, as they come out of the store."""
    reader = Reader(instrument)
    population = Population(instrument, seed, TODAY)
    return reader, [reader.stored(msgspec.json.encode(population.respondent(n).answers)) for n in range(count)]


def released(count: int = 300, number: int = 1) -> Dataset:
    """The typed table of a release of that questionnaire."""
    instrument = every_kind()
    columns = variables(instrument)
    reader, given = answers(instrument, count)
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add(given)
    profile = PROFILES["public"]
    keys = LedgerKeys(bytes(32), instrument.id)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(count)])
    protected = protected_table(columns, encoder.table(), profile, people, keys, number)
    return table_of(number, instrument, columns, protected, profile, count)


def stored(survey: str, count: int, seed: int = 5) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows of plausible responses to a bundled questionnaire, as analysis stores them."""
    instrument = load(bundled()[survey])
    assert isinstance(instrument, Instrument), instrument
    population = Population(instrument, seed, TODAY)
    rows: list[tuple[object, ...]] = []
    for n in range(count):
        body = msgspec.json.encode(population.respondent(n).answers).decode()
        rows.append((uuid.UUID(int=n + 1), survey, instrument.version, 0, n + 1, "recorded", "en", body))
    return ["id", "survey", "version", "partition", "seq", "status", "language", "answers"], rows


@dataclass(frozen=True)
class Made:
    """A release of a bundled questionnaire: what was answered, how it was protected, and the table that is written."""

    instrument: Instrument
    columns: list[Variable]
    original: pd.DataFrame
    protected: Protected
    table: Dataset

    def report(self) -> ReleaseReport:
        return report_on(self.original, self.table, self.columns, self.instrument, self.protected.reasons, self.protected.quasi_identifiers)

    def write(self, folder: Path) -> Manifest:
        """Every file of it, as the service writes them, into this empty folder."""
        profile = PROFILES[self.table.edition.profile]
        policy = policy_of(profile, self.protected)
        return write(folder, self.table, policy, Signer(bytes(32)), lambda share: None, "", files(self.report(), self.table))


def made(survey: str, profile: str, count: int) -> Made:
    """A first release of so many plausible responses."""
    instrument = load(bundled()[survey])
    assert isinstance(instrument, Instrument), instrument
    columns, original, keys = variables(instrument), encoded(instrument, 0, count), LedgerKeys(bytes(32), survey)
    people = keys.people([uuid.UUID(int=n).bytes for n in range(count)])
    protected = protected_table(columns, original, PROFILES[profile], people, keys)
    return Made(instrument, columns, original, protected, table_of(1, instrument, columns, protected, PROFILES[profile], count))


def encoded(instrument: Instrument, first: int, count: int) -> pd.DataFrame:
    """The answers of respondents `first` and on, as the codes of the release's variables."""
    reader, given = answers(instrument, first + count)
    encoder = Encoder(CodeBook(reader), variables(instrument))
    encoder.add(given[first:])
    return encoder.table()
