"""Which format a file is in, and the reader for it."""

from __future__ import annotations

import json
from collections.abc import Callable

from deploy.cli.exchange.model import Form, FormatName
from deploy.cli.exchange.report import Report, UnreadableForm
from deploy.cli.exchange.workbook import is_workbook

LARGEST = 20_000_000
Reader = Callable[[bytes, str, Report, dict[str, str], dict[str, int]], Form]


def read(content: bytes, file: str, report: Report, format: FormatName | None, languages: dict[str, str], unroll: dict[str, int]) -> Form:
    """The questionnaire in a file of any known format. Raises UnreadableForm."""
    if len(content) > LARGEST:
        raise UnreadableForm(f"it is larger than {LARGEST // 1_000_000} MB")
    return _reader(format or recognised(content))(content, file, report, languages, unroll)


def _reader(format: FormatName) -> Reader:
    match format:
        case "xlsform":
            from deploy.cli.exchange.read_xlsform import read
        case "surveyjs":
            from deploy.cli.exchange.read_surveyjs import read
        case "limesurvey":
            from deploy.cli.exchange.read_limesurvey import read
        case "redcap":
            from deploy.cli.exchange.read_redcap import read
        case "qualtrics":
            from deploy.cli.exchange.read_qualtrics import read
    return read


def recognised(content: bytes) -> FormatName:
    """The format by what stands in the file, whatever its name is. Raises UnreadableForm."""
    if is_workbook(content):
        return "xlsform"
    text = content[:4000].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        if "LimeSurveyDocType" in text or "<document" in text[:200]:
            return "limesurvey"
        raise UnreadableForm("this is no LimeSurvey structure: LimeSurveyDocType is missing", "Export the survey as .lss.")
    if text.startswith(("{", "[")):
        return _json(content)
    if text.lower().startswith(("var ", "const ", "let ", "window.", "export ", "module.", "//", "/*", "function", "import ")):
        raise UnreadableForm("this is JavaScript, not JSON", "Leave only what stands between the outer braces.")
    header = text.split("\n", 1)[0].lower()
    if "field name" in header or "field_name" in header or ("variable" in header and "form name" in header):
        return "redcap"
    if header.startswith(("id\trelated_id", '"id"\t"related_id"')):
        raise UnreadableForm("this is LimeSurvey's structure separated by tabs", "Export the survey as .lss.")
    raise UnreadableForm(
        "it is neither an XLSForm, nor SurveyJS JSON, nor LimeSurvey .lss, nor a REDCap dictionary, nor Qualtrics .qsf",
        "Name one with --format.",
    )


def _json(content: bytes) -> FormatName:
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return "surveyjs"  # its reader takes comments away, and says what is wrong
    return "qualtrics" if isinstance(found, dict) and "SurveyElements" in found else "surveyjs"
