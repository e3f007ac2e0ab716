"""As much of Stata's grammar as a do-file of ours needs: every line is a comment, or a command that we write, and nothing else.

After Stata's manual, [U] 16.1.2 (comments and line joins), 18.3 (macros), 12.4 (strings). Narrow: what it does not know is a fault.
"""

from __future__ import annotations

import re

_COMMANDS = re.compile(r'version 14|use "data\.dta", clear|assert _N == \d+|describe, short')
_DANGEROUS = re.compile(r"/\*|\*/|///|(?<!:)//|`|\$|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Within a comment too: `/*` opens a block, `///` joins the next line to this one, a backquote and a dollar begin macros. `https://` begins
nothing."""


def faults(script: str) -> list[str]:
    """Each line that is neither; a line break is what any reader of lines may take for one."""
    lines = script.splitlines()
    if not script.endswith("\n"):
        return ["the last line has no end"]
    return [line for line in lines if not (_is_comment(line) or _COMMANDS.fullmatch(line))]


def _is_comment(line: str) -> bool:
    return line.startswith("* ") and _DANGEROUS.search(line[2:]) is None
