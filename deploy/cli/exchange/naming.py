"""Foreign names as ids, variables and codes: the same name always gives the same, and none twice. Pure."""

from __future__ import annotations

import re
import unicodedata

_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"}
)
_CODE = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
RESERVED = frozenset({"language", "receipt", "version", "weight"})
"""Variables that releases make themselves."""


def slug(text: str, joint: str = "_") -> str:
    """Letters and digits of ASCII, everything else a joint; perhaps empty."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", joint, plain).strip(joint)


def cut(name: str, longest: int) -> str:
    """At the last underscore before the limit, if that leaves something."""
    if len(name) <= longest:
        return name
    whole, joint, _ = name[: longest + 1].rpartition("_")
    return whole if joint and len(whole) >= longest // 3 else name[:longest].rstrip("_")


class Names:
    """Gives each name once; a second one gets a number."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = {name.lower() for name in taken}

    def once(self, name: str, longest: int) -> str:
        unique, number = cut(name, longest), 2
        while unique.lower() in self._taken:
            ending = f"_{number}"
            unique, number = cut(name, longest - len(ending)) + ending, number + 1
        self._taken.add(unique.lower())
        return unique


class QuestionNames:
    """The id and the variable of each question."""

    def __init__(self) -> None:
        self._ids = Names()
        self._vars = Names(RESERVED)

    def of(self, name: str) -> tuple[str, str]:
        plain = slug(name)
        if not plain[:1].isalpha():
            plain = f"q_{plain}".rstrip("_")
        id = self._ids.once(plain[0].upper() + plain[1:], 64)
        return id, self._vars.once(plain.lower(), 32)


def survey_id(*names: str) -> str:
    """The first name that gives an id of a survey: small letters, digits, hyphens."""
    for name in names:
        plain = re.sub(r"^[^a-z]+", "", slug(name, "-").lower())[:64].rstrip("-")
        if plain:
            return plain
    return "survey"


def code_of(text: str, names: Names) -> str:
    """The code as it is where it fits, else its letters and digits."""
    if _CODE.fullmatch(text):
        return text
    return names.once(slug(text) or "option", 64)
