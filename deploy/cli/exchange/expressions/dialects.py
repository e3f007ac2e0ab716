"""How XLSForm, SurveyJS, LimeSurvey and REDCap write conditions. Pure."""

from __future__ import annotations

import re

from deploy.cli.exchange.expressions.parser import Dialect
from deploy.cli.exchange.expressions.tree import Call, Literal, Node, Ref, Untranslatable

_NUMBER = r"(?P<number>[0-9]+(?:\.[0-9]+)?)"
_TEXT = r"""(?P<text>'[^']*'|"[^"]*")"""
_COMPARED = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "and": "and", "or": "or", "+": "+", "-": "-", "*": "*"}


def _token(ref: str, word: str, signs: str, number: str = _NUMBER) -> re.Pattern[str]:
    return re.compile(rf"(?P<space>\s+)|(?P<ref>{ref})|{number}|{_TEXT}|(?P<word>{word})|(?P<sign>{signs})")


def _no_word(word: str) -> Node:
    raise Untranslatable(f"{word} is not understood")


def _xlsform_ref(text: str) -> Node:
    if text.startswith("${"):
        return Ref(text[2:-1].strip())
    if text == ".":
        return Ref(".")
    if text.endswith("..") or not re.fullmatch(r"[\w./-]+", text):
        raise Untranslatable("a repeat has no places here" if text == ".." else "a path is not followed")
    return Ref(text, path=True)


XLSFORM = Dialect(
    name="XLSForm",
    token=_token(
        r"\$\{[^}]*\}|\.\.?/[\w./@*-]+|/[\w/.-]+|\.\.|\.(?![0-9])",
        r"[A-Za-z_][\w-]*(?::[\w-]+)?",
        r"<=|>=|!=|==|&&|\|\||[=<>+*,()\[\]|-]",
    ),
    operators=_COMPARED | {"div": "/"},
    strangers={"&&": "&& is not XPath; meant is and", "||": "|| is not XPath; meant is or", "==": "== is not XPath; meant is ="},
    ref=_xlsform_ref,
    word=_no_word,
    true_words=frozenset({"true"}),
    false_words=frozenset({"false"}),
)


def _column(word: str) -> Node:
    return Ref(word)


CHOICE_FILTER = Dialect(
    name="choice filter",
    token=XLSFORM.token,
    operators=XLSFORM.operators,
    strangers=XLSFORM.strangers,
    ref=lambda text: Ref(text) if text.startswith("${") else _xlsform_ref(text),
    word=_column,
)
"""A bare word is a column of the sheet of choices; a question keeps its ${ }."""


def _surveyjs_ref(text: str) -> Node:
    name = text[1:-1].strip()
    for prefix, what in (("panel.", "a dynamic panel"), ("row.", "a dynamic row")):
        if name.startswith(prefix):
            raise Untranslatable(f"it speaks of {what}")
    first, _, part = name.partition(".")
    if part == "length":
        return Call("count-selected", (Ref(first),))
    if "." in part or "[" in name:
        raise Untranslatable("it asks inside an answer")
    return Ref(first, part)


SURVEYJS = Dialect(
    name="SurveyJS",
    token=_token(r"\{[^}]*\}", r"[A-Za-z_][\w-]*", r"<=|>=|!=|<>|==|\*=|&&|\|\||[=<>+*/,()\[\]!-]"),
    operators=_COMPARED
    | {
        "==": "=",
        "equal": "=",
        "equals": "=",
        "<>": "!=",
        "notequal": "!=",
        "notequals": "!=",
        "less": "<",
        "lessorequal": "<=",
        "greater": ">",
        "greaterorequal": ">=",
        "&&": "and",
        "||": "or",
        "!": "not",
        "not": "not",
        "negate": "not",
        "/": "/",
        "*=": "contains",
        "contains": "contains",
        "contain": "contains",
        "notcontains": "notcontains",
        "notcontain": "notcontains",
        "anyof": "anyof",
        "allof": "allof",
        "noneof": "noneof",
        "empty": "empty",
        "notempty": "notempty",
    },
    ref=_surveyjs_ref,
    word=lambda word: Literal(word),
    true_words=frozenset({"true"}),
    false_words=frozenset({"false"}),
)


def _limesurvey_word(word: str) -> Node:
    name, _, ending = word.partition(".")
    if ending not in ("", "NAOK", "value", "code"):
        raise Untranslatable(f".{ending.split('.')[0]} is asked of a question")
    if name in ("self", "that", "this"):
        raise Untranslatable(f"{name} is not understood")
    return Ref(name, strict=ending != "NAOK")


LIMESURVEY = Dialect(
    name="LimeSurvey",
    token=_token(
        r"[0-9]+X[0-9]+X[0-9]+[A-Za-z0-9_]*(?:\.[A-Za-z]+)?",
        r"[A-Za-z_][\w]*(?:\.[A-Za-z_][\w.]*)?(?::\w+)?",
        r"<=|>=|!=|==|&&|\|\||[=<>+*/,()!-]",
    ),
    operators=_COMPARED
    | {
        "==": "=",
        "eq": "=",
        "ne": "!=",
        "lt": "<",
        "le": "<=",
        "gt": ">",
        "ge": ">=",
        "&&": "and",
        "||": "or",
        "!": "not",
        "not": "not",
        "/": "/",
    },
    ref=_limesurvey_word,
    word=_limesurvey_word,
)


def _redcap_ref(text: str) -> Node:
    name, _, part = text[1:-1].strip().partition("(")
    return Ref(name.strip(), part.rstrip(") ").strip())


REDCAP = Dialect(
    name="REDCap",
    token=_token(r"\[[^\]]*\]", r"[A-Za-z_][\w-]*", r"<=|>=|!=|<>|==|[=<>+*/,()-]"),
    operators=_COMPARED | {"<>": "!=", "==": "=", "/": "/"},
    ref=_redcap_ref,
    word=_no_word,
)
