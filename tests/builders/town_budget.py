"""A questionnaire of numbers and dates: special values in their place, bounds left out, years alone."""

from __future__ import annotations

from functools import cache

from proto import author
from proto.instrument import Instrument
from tests.builders.no_table import no_table

TEXT = """\
format: platea-instrument/2
id: town-budget
version: "1.0.0"
source_language: en
languages: [en, fr]
title: {en: "The town's budget", fr: "Le budget de la ville"}
notice: {en: "I agree to take part.", fr: "J'accepte de participer."}
data_protection:
  controller: {en: "The town", fr: "La ville"}
  basis: {en: "Your consent", fr: "Votre consentement"}
  retention: {en: "Two years", fr: "Deux ans"}
  contact: {en: "the town hall", fr: "la mairie"}
hierarchies:
  founded: {levels: [exact, year, period, "*"], periods: ["1900-1999", "2000+"]}
sections:
  - {id: A, text: {en: "The town", fr: "La ville"}}
  - {id: B, text: {en: "Anything else", fr: "Autre chose"}}
questions:
  - id: Cameras
    var: cameras
    section: A
    type: integer
    required: true
    text: {en: "How many cameras does the town run?", fr: "Combien de caméras la ville exploite-t-elle ?"}
    min: 0
    bands: ["0", "1-49", "50+"]
    special:
      - {code: dk, en: "Not known", fr: "Non connu"}
      - {code: secret, en: "It must not be told", fr: "Cela ne peut être dit"}
    privacy: {role: insensitive}
    stats: [count, distribution, mean, median]
  - id: Balance
    var: balance
    section: A
    type: numeric
    text: {en: "What is the yearly balance?", fr: "Quel est le solde annuel ?"}
    unit: {en: "million euros", fr: "millions d'euros"}
    decimals: 2
    privacy: {role: insensitive}
  - id: Founded
    var: founded
    section: A
    type: date
    precision: year
    text: {en: "When was the police founded?", fr: "Quand la police a-t-elle été fondée ?"}
    min: "1900"
    bands: ["1900-1999", "2000+"]
    special:
      - {code: never, en: "There is none", fr: "Il n'y en a pas"}
    privacy: {role: quasi_identifier, hierarchy: founded}
    stats: [count, distribution, median]
  - id: Split
    var: split
    section: A
    type: constant_sum
    text: {en: "How would you spend 100 points?", fr: "Comment répartiriez-vous 100 points ?"}
    rows:
      - {code: police, en: "Police", fr: "Police"}
      - {code: light, en: "Better light in the parks and streets", fr: "Un meilleur éclairage des parcs et des rues"}
      - {code: clubs, en: "Clubs for young people", fr: "Clubs de jeunes"}
    total: 100
    unit: {en: "points", fr: "points"}
    privacy: {role: insensitive}
    stats: [count, distribution, mean]
  - id: Uses
    var: uses
    section: A
    type: multiple
    text: {en: "Which of these does the town use?", fr: "Lesquels de ces moyens la ville utilise-t-elle ?"}
    min_choices: 0
    options:
      - {code: drones, en: "Drones", fr: "Des drones"}
      - {code: patrols, en: "Patrols", fr: "Des patrouilles"}
    privacy: {role: insensitive}
    stats: [count, share]
  - id: Felt
    var: felt
    section: A
    type: matrix
    required: true
    ordered: true
    text: {en: "How often did people complain?", fr: "À quelle fréquence y a-t-il eu des plaintes ?"}
    options:
      - {code: seldom, en: "Seldom", fr: "Rarement", score: 1}
      - {code: often, en: "Often", fr: "Souvent", score: 10}
    rows:
      - {code: noise, en: "About noise", fr: "Du bruit"}
      - {code: theft, en: "About theft", fr: "De vols"}
      - {code: none, en: "About nothing that stands here", fr: "De rien de cela", exclusive: true}
    privacy: {role: insensitive}
    stats: [count, share, mean]
  - id: Wish
    var: wish
    section: B
    type: short_text
    text: {en: "What is missing?", fr: "Que manque-t-il ?"}
    privacy: {role: free_text}
policy: {minimum: 10, batch: 10}
"""


@cache
def town_budget() -> Instrument:
    instrument = author.read(TEXT, "town-budget.yaml", no_table)
    assert isinstance(instrument, Instrument), instrument
    return instrument
