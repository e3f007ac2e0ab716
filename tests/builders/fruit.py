"""A questionnaire whose texts do things: options that open a text, notes between questions, answers shown in later texts, patterns."""

from __future__ import annotations

from proto import author
from proto.instrument import Instrument
from tests.builders.no_table import no_table

TEXT = """\
format: platea-instrument/2
id: fruit
version: "0.1.0"
source_language: en
languages: [en, fr]
title: {en: "Fruit", fr: "Fruits"}
scales:
  where: [{code: shop, en: "Shop", fr: "Magasin"}, {code: else, en: "Elsewhere", fr: "Ailleurs", specify: true}]
sections:
  - {id: A, text: {en: "You", fr: "Vous"}}
  - {id: B, text: {en: "Fruit", fr: "Fruits"}}
questions:
  - {id: N0, type: note, section: A, text: {en: "Welcome.\\nTake your time.", fr: "Bienvenue.\\nPrenez votre temps."}}
  - id: A01
    var: favourite
    section: A
    type: single
    required: true
    text: {en: "Which fruit do you like best?", fr: "Quel fruit préférez-vous ?"}
    options:
      - {code: apple, en: "Apple", fr: "Pomme"}
      - {code: pear, en: "Pear & quince", fr: "Poire et coing"}
      - {code: other, en: "Another: please say which", fr: "Un autre : lequel ?", specify: {max_chars: 20, required: true}}
      - {code: dk, en: "Don't know", fr: "Ne sait pas"}
    privacy: {role: insensitive}
    stats: [count, share]
  - id: N1
    type: note
    section: A
    show_if: {q: A01, op: in, value: [apple, pear]}
    text: {en: "Apples and pears <grow> here.", fr: "Pommes et poires <poussent> ici."}
  - id: A02
    var: bought
    section: A
    type: multiple
    text: {en: "Where do you get it?", fr: "Où en trouvez-vous ?"}
    scale: where
    privacy: {role: insensitive}
  - id: A03
    var: drinks
    section: A
    type: ranking
    rank_count: 2
    text: {en: "What do you drink?", fr: "Que buvez-vous ?"}
    options: [{code: juice, en: "Juice of {A01}", fr: "Jus de {A01}"}, {code: water, en: "Water", fr: "Eau"}]
    privacy: {role: insensitive}
  - {id: N2, type: note, section: A, text: {en: "You like this: {A01}.", fr: "Vous aimez ceci : {A01}."}}
  - id: B01
    var: wish
    section: B
    type: long_text
    text: {en: "What is missing in {A02}? {{ }}", fr: "Que manque-t-il dans {A02} ? {{ }}"}
    help: {en: "Besides: {A01}", fr: "Outre : {A01}"}
    privacy: {role: free_text}
  - id: B02
    var: postcode
    section: B
    type: short_text
    pattern: postal_code
    text: {en: "Where do you live?", fr: "Où habitez-vous ?"}
    privacy: {role: identifying}
"""


def fruit(*changes: tuple[str, str]) -> Instrument:
    """The questionnaire, with pieces of its file replaced."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    found = author.read(text, "fruit.yaml", no_table)
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    return found


def faults(old: str, new: str) -> list[str]:
    """What is wrong with it after a piece was replaced: line, message and advice."""
    assert TEXT.count(old) == 1, old
    found = author.read(TEXT.replace(old, new), "fruit.yaml", no_table)
    assert isinstance(found, list), "accepted"
    return [str(fault) for fault in found]


def line_of(text: str) -> int:
    return TEXT[: TEXT.index(text)].count("\n") + 1
