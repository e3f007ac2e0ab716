"""Quotes texts of a questionnaire as comments or constants of other languages, so that none is read as code. Pure.

Rules: Python's `repr`; the R Language Definition, 10.3.1 (string escapes); Stata's manual, [U] 16.1.2 (comments) and 18.3 (macros);
BibTeX's fields (braces balance, TeX commands); CommonMark 2.4 (backslash escapes); XML 1.0, 2.2 (characters).
"""

from __future__ import annotations

import re

_BREAKS = re.compile(r"[ \x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]")
"""Marks that turn the direction of writing, or take no room: a reader would see another line than a program reads."""
_UNFIT_FOR_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """Whatever breaks a line, or controls a terminal, is one space; marks that are not seen are gone."""
    return _BREAKS.sub(" ", _UNSEEN.sub("", text)).strip()


def hash_comment(text: str) -> str:
    """A comment of Python or R: one line, whatever the text contains."""
    return f"# {one_line(text)}"


def stata_comment(text: str) -> str:
    """A comment of Stata. There `/*` opens a block and `///` joins lines even within a comment, and macros are expanded: signs that look
    the same take the place of those that begin them."""
    plain = one_line(text).replace("`", "\N{LEFT SINGLE QUOTATION MARK}").replace("$", "\N{FULLWIDTH DOLLAR SIGN}")
    return "* " + re.sub(r"/(?=\*)|(?<=\*)/|/(?=//)|(?<!:)/(?=/)", "\N{FRACTION SLASH}", plain)  # not in https://, which begins nothing


def python_string(text: str) -> str:
    """As an expression of Python that fits into one line."""
    return repr(text)


def r_string(text: str) -> str:
    """As an expression of R that fits into one line. R knows no NUL, and no half of a surrogate pair."""
    return '"' + "".join(map(_of_r, text)) + '"'


def _of_r(sign: str) -> str:
    if sign in '\\"':
        return f"\\{sign}"
    if sign == "\n":
        return "\\n"
    if sign == "\x00" or "\ud800" <= sign <= "\udfff":
        sign = "\ufffd"
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if sign <= "\uffff" else f"\\U{ord(sign):08x}"


def tex(text: str) -> str:
    """Within a field of BibTeX: characters that TeX reads as commands made harmless, on one line."""
    return re.sub(r"[&%$#_]", lambda match: "\\" + match.group(), re.sub(r"[\\{}~^]", " ", one_line(text)))


def tex_address(address: str) -> str:
    """An address within a field of BibTeX, where braces must balance."""
    return re.sub(r"[\s\\{}\x00-\x1f]", lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), address)


def markdown(text: str) -> str:
    """Plain text where Markdown is read: on one line, so that it begins no block, and with what begins an inline element escaped."""
    return re.sub(r"[\\`*_\[\]<>&!#~|]", lambda match: "\\" + match.group(), one_line(text))


def xml(text: str) -> str:
    """Characters that XML 1.0 has none of are U+FFFD."""
    return _UNFIT_FOR_XML.sub("\ufffd", text)
