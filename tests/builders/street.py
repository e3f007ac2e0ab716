"""A short questionnaire with each kind of question, made to be listened to."""

from __future__ import annotations

import asyncio
import sys
from functools import cache

from proto import author
from proto.instrument import Instrument
from services.intake.app import create_app
from services.runtime.http.server import serve
from tests.builders.no_table import no_table
from tests.pages.desk import MemoryJournal, open_desk

TEXT = """\
format: platea-instrument/2
id: street
version: "1.0.0"
source_language: en
languages: [en]
title: {en: "Your street"}
notice: {en: "I agree to take part."}
data_protection:
  controller: {en: "The town"}
  basis: {en: "Your consent"}
  retention: {en: "Two years"}
  contact: {en: "the town hall"}
sections:
  - {id: A, text: {en: "Ways"}}
  - {id: B, text: {en: "Numbers"}}
  - {id: C, text: {en: "Views"}}
questions:
  - {id: Hello, type: note, section: A, text: {en: "Think of last week."}}
  - id: Way
    var: way
    section: A
    type: single
    required: true
    text: {en: "How do you get to work?"}
    options:
      - {code: foot, en: "On foot"}
      - {code: tram, en: "By tram"}
      - {code: other, en: "Another way", specify: {required: true}}
    privacy: {role: insensitive}
  - id: Late
    var: late
    section: A
    type: integer
    text: {en: "How often was the tram late?"}
    min: 0
    max: 99
    show_if: {q: Way, op: in, value: [tram]}
    privacy: {role: insensitive}
  - id: Seen
    var: seen
    section: A
    type: multiple
    text: {en: "What have you seen on the way?"}
    options:
      - {code: tree, en: "A tree"}
      - {code: bench, en: "A bench"}
      - {code: nothing, en: "Nothing of this", exclusive: true}
    privacy: {role: insensitive}
  - id: Trees
    var: trees
    section: B
    type: integer
    required: true
    text: {en: "How many trees are there?"}
    min: 0
    bands: ["0", "1-49", "50+"]
    special: [{code: dk, en: "Not known"}]
    privacy: {role: insensitive}
  - id: Length
    var: length
    section: B
    type: numeric
    text: {en: "How long is it?"}
    help: {en: "From end to end"}
    unit: {en: "km"}
    decimals: 1
    min: 0
    privacy: {role: insensitive}
  - id: Paved
    var: paved
    section: B
    type: date
    text: {en: "When was it paved?"}
    min: "2000-01"
    privacy: {role: insensitive}
  - id: Wishes
    var: wishes
    section: B
    type: ranking
    rank_count: 2
    text: {en: "What is needed most?"}
    options:
      - {code: light, en: "Light"}
      - {code: water, en: "Water"}
      - {code: quiet, en: "Quiet"}
    privacy: {role: insensitive}
  - id: Budget
    var: budget
    section: B
    type: constant_sum
    text: {en: "How would you share 10 points?"}
    rows:
      - {code: walls, en: "Walls"}
      - {code: roads, en: "Roads"}
    total: 10
    unit: {en: "points"}
    privacy: {role: insensitive}
  - id: Feel
    var: feel
    section: C
    type: matrix
    required: true
    text: {en: "How do you feel there?"}
    options:
      - {code: "1", en: "Very safe"}
      - {code: "2", en: "Safe"}
      - {code: "3", en: "In between"}
      - {code: "4", en: "Unsafe"}
      - {code: "5", en: "Very unsafe"}
    rows:
      - {code: dawn, en: "At dawn"}
      - {code: morning, en: "In the morning"}
      - {code: noon, en: "At noon"}
      - {code: evening, en: "In the evening"}
      - {code: night, en: "At night"}
      - {code: fog, en: "In fog"}
      - {code: never, en: "I am never there", exclusive: true}
    privacy: {role: insensitive}
  - id: Month
    var: month
    section: C
    type: single
    text: {en: "Which month do you like best?"}
    ordered: true
    options:
      - {code: m01, en: "January"}
      - {code: m02, en: "February"}
      - {code: m03, en: "March"}
      - {code: m04, en: "April"}
      - {code: m05, en: "May"}
      - {code: m06, en: "June"}
      - {code: m07, en: "July"}
      - {code: m08, en: "August"}
      - {code: m09, en: "September"}
      - {code: m10, en: "October"}
      - {code: m11, en: "November"}
      - {code: m12, en: "December"}
      - {code: all, en: "All the same"}
    privacy: {role: insensitive}
  - id: Word
    var: word
    section: C
    type: short_text
    text: {en: "One word for it?"}
    max_chars: 20
    privacy: {role: free_text}
  - id: More
    var: more
    section: C
    type: long_text
    text: {en: "Anything else?"}
    max_chars: 500
    privacy: {role: free_text}
policy: {minimum: 10, batch: 10}
"""


@cache
def street() -> Instrument:
    instrument = author.read(TEXT, "street.yaml", no_table)
    assert isinstance(instrument, Instrument), instrument
    return instrument


if __name__ == "__main__":
    asyncio.run(serve(create_app(open_desk(MemoryJournal(), [street()])), "127.0.0.1", int(sys.argv[1])))
