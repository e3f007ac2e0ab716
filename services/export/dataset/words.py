"""The words of a release that no questionnaire holds: reasons for missing answers, skip rules in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proto.instrument import Texts

_WORDS: dict[str, Texts] = {
    "missing": {"en": "not answered", "fr": "sans réponse", "es": "sin respuesta"},
    "skipped": {"en": "not asked", "fr": "question non posée", "es": "no preguntado"},
    "withheld": {
        "en": "not shown, to protect respondents",
        "fr": "non montré, pour protéger les répondants",
        "es": "no se muestra, para proteger a los encuestados",
    },
    "dk": {"en": "don't know", "fr": "ne sait pas", "es": "no sabe"},
    "pnts": {"en": "prefer not to say", "fr": "ne souhaite pas répondre", "es": "prefiere no contestar"},
    "na": {"en": "not applicable", "fr": "sans objet", "es": "no procede"},
    "yes": {"en": "yes", "fr": "oui", "es": "sí"},
    "no": {"en": "no", "fr": "non", "es": "no"},
    "rank": {"en": "Rank {0}", "fr": "Rang {0}", "es": "Puesto {0}"},
    "everyone": {"en": "All respondents", "fr": "Toutes les personnes répondantes", "es": "Todas las personas encuestadas"},
    "nobody": {"en": "Nobody", "fr": "Personne", "es": "Nadie"},
    "those": {"en": "Respondents who {0}", "fr": "Personnes répondantes qui {0}", "es": "Personas encuestadas que {0}"},
    "chose": {"en": "answered {0} to {1}", "fr": "ont répondu {0} à {1}", "es": "respondieron {0} a {1}"},
    "chose not": {"en": "did not answer {0} to {1}", "fr": "n'ont pas répondu {0} à {1}", "es": "no respondieron {0} a {1}"},
    "chose in a row": {
        "en": "answered {0} in at least one row of {1}",
        "fr": "ont répondu {0} à au moins une ligne de {1}",
        "es": "respondieron {0} en al menos una fila de {1}",
    },
    "answered": {"en": "answered {0}", "fr": "ont répondu à {0}", "es": "respondieron a {0}"},
    "at least number": {
        "en": "answered {0} or more to {1}",
        "fr": "ont répondu {0} ou plus à {1}",
        "es": "respondieron {0} o más a {1}",
    },
    "at most number": {
        "en": "answered {0} or less to {1}",
        "fr": "ont répondu {0} ou moins à {1}",
        "es": "respondieron {0} o menos a {1}",
    },
    "at least date": {
        "en": "answered {0} or later to {1}",
        "fr": "ont répondu {0} ou une date ultérieure à {1}",
        "es": "respondieron {0} o una fecha posterior a {1}",
    },
    "at most date": {
        "en": "answered {0} or earlier to {1}",
        "fr": "ont répondu {0} ou une date antérieure à {1}",
        "es": "respondieron {0} o una fecha anterior a {1}",
    },
    "at least choices": {
        "en": "chose at least {0} in {1}",
        "fr": "ont fait au moins {0} choix à {1}",
        "es": "eligieron al menos {0} en {1}",
    },
    "at most choices": {
        "en": "chose at most {0} in {1}",
        "fr": "ont fait au plus {0} choix à {1}",
        "es": "eligieron como máximo {0} en {1}",
    },
    "same": {
        "en": "gave the same answer to {0} as to {1}",
        "fr": "ont donné la même réponse à {0} qu'à {1}",
        "es": "dieron la misma respuesta a {0} que a {1}",
    },
    "lower": {
        "en": "gave a lower number to {0} than to {1}",
        "fr": "ont donné un nombre plus petit à {0} qu'à {1}",
        "es": "dieron un número menor a {0} que a {1}",
    },
    "earlier": {
        "en": "gave an earlier date to {0} than to {1}",
        "fr": "ont donné une date antérieure à {0} qu'à {1}",
        "es": "dieron una fecha anterior a {0} que a {1}",
    },
    "not": {"en": "are not among those who {0}", "fr": "ne sont pas parmi les personnes qui {0}", "es": "no están entre quienes {0}"},
    "and": {"en": "{0} and {1}", "fr": "{0} et {1}", "es": "{0} y {1}"},
    "or": {"en": "{0} or {1}", "fr": "{0} ou {1}", "es": "{0} o {1}"},
}


def text(texts: Texts, language: str) -> str:
    """In this language, else in English, else empty."""
    return texts.get(language) or texts.get("en", "")


def say(phrase: str, language: str, *parts: str) -> str:
    """A phrase in this language, in English where it lacks it."""
    return text(_WORDS[phrase], language).format(*parts)


def in_each(languages: Iterable[str], make: Callable[[str], str]) -> Texts:
    """A text made once for each language."""
    return {language: make(language) for language in languages}


def phrase(name: str, languages: Iterable[str], *parts: str) -> Texts:
    return in_each(languages, lambda language: say(name, language, *parts))
