"""Words of questions and labels in the languages of the interface: none of these, comments. Pure."""

from __future__ import annotations

import re

_NONE = (
    r"none( of (the|these).*)?",
    r"nothing|not at all|neither",
    r"нито едно( от .*)?",  # bg
    r"nic z uvedeného",  # cs
    r"ingen( af .*)?",  # da
    r"nichts( davon)?|keine?[rs]?( (davon|der genannten.*))?",  # de
    r"κανένα( από .*)?",  # el
    r"ningun[ao]( de .*)?",  # es
    r"mitte ükski( .*)?",  # et
    r"ei mikään( .*)?",  # fi
    r"aucune?( de (ces|ceux|celles).*)?",  # fr
    r"ní bhaineann aon cheann .*",  # ga
    r"ništa od .*",  # hr
    r"egyik sem",  # hu
    r"nessun[oa]?( (di|dei|delle) .*)?",  # it
    r"nė vienas( .*)?",  # lt
    r"neviens( no .*)?",  # lv
    r"l-ebda waħda.*",  # mt
    r"geen( van .*)?",  # nl
    r"żadn[aey]( z .*)?",  # pl
    r"nenhuma?( (das|dos|dest[ae]s).*)?",  # pt
    r"niciun(a|ul)( dintre .*)?",  # ro
    r"nič (z uvedeného|od tega)",  # sk, sl
    r"inge[nt]( av .*)?",  # sv
)
_COMMENTS = (
    r"comments?|remarks?|feedback|explain|describe|specify|anything else|suggestions?|why|notes?|text|other",
    r"коментари?|забележки|защо|друго",  # bg
    r"komentáře?|poznámk[ay]|proč|jiné",  # cs
    r"kommentarer?|bemærkning(er)?|hvorfor|andet",  # da
    r"kommentare?|anmerkung(en)?|bemerkung(en)?|sonstiges|warum",  # de
    r"σχόλια|παρατηρήσεις|γιατί|άλλο",  # el
    r"comentarios?|observaciones|por qué|otros?",  # es
    r"kommentaarid?|märkused|miks",  # et
    r"kommentit?|huomautuksia|miksi|muu",  # fi
    r"commentaires?|remarques?|pourquoi|précisez|autre",  # fr
    r"tuairimí?|cén fáth",  # ga
    r"komentari?|napomene|zašto|ostalo",  # hr
    r"megjegyzés(ek)?|miért|egyéb",  # hu
    r"commenti?|osservazioni|perché|altro",  # it
    r"pastabos|komentarai|kodėl",  # lt
    r"komentāri|piezīmes|kāpēc|cits",  # lv
    r"kummenti|għaliex",  # mt
    r"opmerking(en)?|waarom|anders",  # nl
    r"uwagi|komentarze?|dlaczego|inne",  # pl
    r"comentários?|observações|porquê|outros?",  # pt
    r"comentarii?|observații|altceva",  # ro
    r"komentáre?|prečo|iné",  # sk
    r"opombe|zakaj|drugo",  # sl
    r"kommentar(er)?|varför|annat",  # sv
)
NONE = re.compile("|".join(_NONE), re.IGNORECASE)
COMMENTS = re.compile(rf"\b({'|'.join(_COMMENTS)})\b")
"""In small letters."""
