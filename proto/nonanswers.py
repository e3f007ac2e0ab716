"""Which options say that somebody gives no answer of substance, by their words. Pure."""

from __future__ import annotations

import re

from proto.instrument import NON_SUBSTANTIVE, Instrument, Matrix, Single

_WORDS = (
    (
        "dk",
        r"(i )?(don.?t|do not) know( yet)?|not sure|unsure|no idea|no opinion|(je )?ne sai[st] pas|sans opinion"
        r"|no (lo )?s[eé]|no sabe|(ich )?wei(ß|ss) (ich |es )?nicht|keine meinung|non (lo )?so|não sei"
        r"|(ik )?weet (ik )?(het )?niet|geen mening|nie wiem|trudno powiedzieć|nevím|neviem|ne znam|ne vem|не знам|nu știu|nem tudom"
        r"|ved ikke|vet (ej|inte)|en (tiedä|osaa sanoa)|ei (oska öelda|tea)|nežinau|nezinu|δεν (γνωρίζω|ξέρω)|ma nafx|níl a fhios agam",
    ),
    (
        "pnts",
        r"(i )?prefer not to (say|answer)|no answer|refused|ne souhaite pas répondre|pas de réponse"
        r"|prefiero no (decirlo|responder|contestar)|keine (angabe|antwort)|preferisco non rispondere|prefiro não (dizer|responder)"
        r"|(zeg|wil) ik liever niet( zeggen)?|geen antwoord|wolę nie odpowiadać|odmowa odpowiedzi|brak odpowiedzi|nechci odpov(ědět|ídat)"
        r"|nechcem odpovedať|ne želim odgovoriti|(не желая|предпочитам) да (не )?отговоря|prefer să nu răspund"
        r"|nem (kívánok|szeretnék) válaszolni"
        r"|(ønsker|vil) ikke (at )?svare|vill (ej|inte) svara|en halua vastata|ei soovi vastata|nenoriu atsakyti|nevēlos atbildēt"
        r"|προτιμώ να μην απαντήσω|δεν απαντώ|nippreferi ma nwieġibx|b'fhearr liom gan a rá",
    ),
    (
        "na",
        r"not applicable|n/?a|sans objet|non concernée?|no procede|no aplicable|nicht zutreffend|trifft nicht zu|non applicabile"
        r"|não aplicável|não se aplica|niet van toepassing|n\.?v\.?t|nie dotyczy|netýká se( mě)?|netýka sa( ma)?|nije primjenjivo"
        r"|ni relevantno|не е приложимо|неприложимо|nu (se aplică|este cazul)|nem (alkalmazható|releváns)"
        r"|ikke relevant|(ej|inte) (aktuellt|relevant)"
        r"|ei (koske minua|sovellettavissa)|ei ole asjakohane|ei kohaldu|netaikoma|neattiecas|nav attiecināms|δεν (ισχύει|εφαρμόζεται)"
        r"|mhux applikabbli|ní bhaineann (sé )?le hábhar",
    ),
)
_PATTERNS = tuple((code, re.compile(pattern, re.IGNORECASE)) for code, pattern in _WORDS)
_DASH = re.compile("\\s[\u2013\u2014-]\\s")


def meant(label: str) -> str:
    """The code that an option with this label should have: dk, pnts or na; empty for an answer of substance."""
    plain = _DASH.split(label)[0].replace("\u2019", "'").rstrip(".!")
    return next((code for code, pattern in _PATTERNS if pattern.fullmatch(plain)), "")


def scored_by_mistake(instrument: Instrument) -> list[tuple[str, str, str]]:
    """Options of ordered scales that are no answer by their words, but are scored like one: (question, code, the code they should
    have)."""
    return [
        (question.id, option.code, code)
        for question in instrument.questions
        if isinstance(question, Single | Matrix) and question.ordered
        for option in question.options
        if option.code not in NON_SUBSTANTIVE
        and (code := next((proposed for text in option.text.values() if (proposed := meant(text))), ""))
    ]
