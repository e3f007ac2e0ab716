"""Small questionnaires of each tool, as they become questions here: nothing is lost without being named."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import msgspec
import pytest
from openpyxl import Workbook

from deploy.cli.exchange.importing import Imported, imported
from deploy.cli.exchange.report import UnreadableForm
from proto.instrument import (
    Closing,
    Computed,
    Date,
    Instrument,
    Integer,
    LongText,
    Matrix,
    Multiple,
    Numeric,
    Opening,
    Ranking,
    Rule,
    ShortText,
    Single,
)


def workbook(**sheets: list[list[Any]]) -> bytes:
    book: Any = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xlsform(survey: list[list[Any]], choices: list[list[Any]] | None = None, **more: Any) -> Imported:
    sheets = {
        "survey": survey,
        "choices": [["list_name", "name", "label"], *(choices or [])],
        "settings": [["form_title", "default_language"], ["A form", "English (en)"]],
    }
    return imported(workbook(**sheets), "form.xlsx", **more)


def sound(done: Imported) -> Instrument:
    assert done.instrument is not None, done.faults
    return done.instrument


def told(done: Imported, key: str) -> list[str]:
    return [str(finding) for finding in done.report.findings if finding.key == key]


HEAD = ["type", "name", "label", "required", "relevant", "constraint", "appearance", "hint", "calculation", "choice_filter", "repeat_count"]
YES_NO = [["yn", "yes", "Yes"], ["yn", "no", "No"]]


def rows(*lines: dict[str, Any]) -> list[list[Any]]:
    return [HEAD, *([line.get(column) for column in HEAD] for line in lines)]


def test_every_kind_of_an_xlsform_keeps_its_name_its_bounds_and_its_place() -> None:
    done = xlsform(
        rows(
            {"type": "start", "name": "start"},
            {"type": "note", "name": "hello", "label": "Welcome."},
            {"type": "begin_group", "name": "you", "label": "About you"},
            {"type": "integer", "name": "age", "label": "How old are you?", "required": "yes", "constraint": ". >= 16 and . <= 99"},
            {"type": "select_one yn", "name": "works", "label": "Do you work?", "hint": "For money."},
            {
                "type": "decimal",
                "name": "hours",
                "label": "How long a day?",
                "constraint": ". >= 0 and . < 24",
                "relevant": "${works} = 'yes'",
            },
            {"type": "select_multiple ways", "name": "ways", "label": "How do you come?", "constraint": "count-selected(.) <= 2"},
            {"type": "end_group"},
            {"type": "date", "name": "since", "label": "Since when?", "constraint": ". <= today()"},
            {"type": "text", "name": "why", "label": "Why?", "appearance": "multiline", "constraint": "string-length(.) <= 500"},
            {"type": "rank ways", "name": "best", "label": "Which is best?"},
            {"type": "geopoint", "name": "where", "label": "Where?"},
        ),
        [*YES_NO, ["ways", "bus", "Bus"], ["ways", "foot", "On foot"], ["ways", "bike", "Bicycle"]],
    )
    instrument = sound(done)
    assert instrument.introduction == {"en": "Welcome."}
    assert [question.id for question in instrument.questions] == ["Age", "Works", "Hours", "Ways", "Since", "Why", "Best"]
    age, works, hours, ways, since, why, best = instrument.questions
    assert isinstance(age, Integer)
    assert (age.min, age.max, age.required, age.var) == (16, 99, True, "age")
    assert isinstance(works, Single)
    assert works.help == {"en": "For money."}
    assert isinstance(hours, Numeric)
    assert (hours.min, hours.max) == (0.0, 23.99)
    assert hours.show_if is not None
    assert (hours.show_if.q, hours.show_if.value) == ("Works", ("yes",))
    assert isinstance(ways, Multiple)
    assert ways.max_choices == 2
    assert isinstance(since, Date)
    assert (since.precision, since.max) == ("day", "today")
    assert isinstance(why, LongText)
    assert why.max_chars == 500
    assert isinstance(best, Ranking)
    assert best.rank_count == 3
    assert [section.text["en"] for section in instrument.sections] == ["About you", "A form"]
    assert told(done, "meta-dropped") == ["form.xlsx:survey: start: neither times nor devices nor persons are recorded here"]
    assert told(done, "kind-refused")[0].startswith("form.xlsx:survey!A13: where asks for a place")
    assert done.report.last_line().startswith("8 questions: 7 whole, 0 changed, 1 refused; 1 rule: 1;")


def test_a_refused_rule_shows_its_question_to_nobody_and_takes_along_what_depends_on_it() -> None:
    done = xlsform(
        rows(
            {"type": "text", "name": "a", "label": "A?"},
            {"type": "select_one yn", "name": "b", "label": "B?", "relevant": "string-length(${a}) > 3"},
            {"type": "select_one yn", "name": "c", "label": "C?", "relevant": "${b} = 'yes'"},
            {"type": "select_one yn", "name": "d", "label": "D?", "relevant": "${c} = 'no'"},
            {"type": "select_one yn", "name": "e", "label": "E?"},
        ),
        YES_NO,
    )
    assert [question.id for question in sound(done).questions] == ["A", "E"]
    assert done.yaml.count("enabled: false") == 3
    assert told(done, "rule-refused") == [
        'form.xlsx:survey!E3: b is shown by "string-length(${a}) > 3": the function string-length has no rule. '
        "It is imported as not enabled, and so are c, d"
    ]
    assert done.report.last_line().startswith("5 questions: 2 whole, 0 changed, 3 refused; 3 rules: 0;")


def test_no_role_goes_without_a_mark() -> None:
    done = xlsform(
        rows(
            {"type": "text", "name": "full_name", "label": "Your full name"},
            {"type": "select_one yn", "name": "health", "label": "Are you in good health?"},
            {"type": "integer", "name": "age", "label": "Age", "constraint": ". >= 0 and . <= 120"},
            {"type": "select_one yn", "name": "likes", "label": "Do you like it?"},
        ),
        YES_NO,
    )
    assert [question.privacy.role for question in sound(done).questions] == ["identifying", "sensitive", "quasi_identifier", "insensitive"]
    assert done.yaml.count("# review: role") == 4
    assert done.report.roles == {
        "identifying": ["Full_name"],
        "sensitive": ["Health"],
        "quasi_identifier": ["Age"],
        "insensitive": ["Likes"],
    }


def test_a_table_of_choices_is_one_question_and_rules_find_its_rows() -> None:
    done = xlsform(
        rows(
            {"type": "begin group", "name": "light", "label": "How is it?", "appearance": "table-list"},
            {"type": "select_one yn", "name": "day", "label": "By day", "required": "yes"},
            {"type": "select_one yn", "name": "night", "label": "By night", "required": "yes"},
            {"type": "end group"},
            {"type": "text", "name": "why", "label": "Why?", "relevant": "${night} = 'no'"},
        ),
        YES_NO,
    )
    matrix, why = sound(done).questions
    assert isinstance(matrix, Matrix)
    assert ([row.code for row in matrix.rows], matrix.required) == (["day", "night"], True)
    assert why.show_if is not None
    assert (why.show_if.op, why.show_if.rows, why.show_if.value) == ("any_row_in", ("night",), ("no",))


def test_a_repeat_is_left_out_by_name_or_asked_as_often_as_one_says() -> None:
    survey = rows(
        {"type": "begin repeat", "name": "child", "label": "Child"},
        {"type": "select_one yn", "name": "school", "label": "At school?"},
        {"type": "select_one yn", "name": "far", "label": "Is it far?", "relevant": "${school} = 'yes'"},
        {"type": "end repeat"},
        {"type": "select_one yn", "name": "last", "label": "Last?"},
    )
    done = xlsform(survey, YES_NO)
    assert [question.id for question in sound(done).questions] == ["Last"]
    assert "Its 2 questions are left out (--unroll child=3 makes three copies)" in told(done, "repeat")[0]
    unrolled = sound(xlsform(survey, YES_NO, unroll={"child": 2}))
    assert [question.id for question in unrolled.questions] == ["School_1", "Far_1", "School_2", "Far_2", "Last"]
    second = unrolled.questions[2]
    assert second.show_if is not None
    assert (second.show_if.q, second.show_if.op) == ("School_1", "answered")
    far = unrolled.questions[3].show_if
    assert far is not None
    assert [(part.q, part.op) for part in far.all] == [("School_1", "answered"), ("School_2", "in")]


def test_a_calculation_of_a_sum_is_a_computed_value_and_another_one_is_told() -> None:
    done = xlsform(
        rows(
            {"type": "integer", "name": "a", "label": "A?", "constraint": ". >= 0 and . <= 9"},
            {"type": "integer", "name": "b", "label": "B?", "constraint": ". >= 0 and . <= 9"},
            {"type": "calculate", "name": "both", "calculation": "${a} + ${b}"},
            {"type": "calculate", "name": "odd", "calculation": "${a} * 2"},
            {"type": "text", "name": "why", "label": "Why so many?", "relevant": "${both} >= 10"},
        )
    )
    both = sound(done).question("Both")
    assert isinstance(both, Computed)
    assert (both.op, both.of, both.least) == ("sum", ("A", "B"), 2)
    why = sound(done).question("Why").show_if
    assert why is not None
    assert (why.q, why.op, why.value) == ("Both", "at_least", (10,))
    assert len(told(done, "formula-refused")) == 1
    assert told(done, "formula-refused")[0].startswith('form.xlsx:survey!A5: odd computes "${a} * 2", and is left out')


def test_codes_that_say_no_answer_are_counted_apart_and_a_code_twice_is_told() -> None:
    done = xlsform(
        rows({"type": "select_one q", "name": "q", "label": "Where?"}),
        [["q", "na", "North America"], ["q", "88", "Don't know"], ["q", "eu", "Europe"], ["q", "eu", "The Union"]],
    )
    (question,) = sound(done).questions
    assert isinstance(question, Single)
    assert [option.code for option in question.options] == ["na_2", "dk", "eu"]
    assert len(told(done, "apart")) == 2
    assert 'for "Europe" and "The Union"' in told(done, "code-twice")[0]


def test_languages_have_tags_and_a_missing_text_is_told() -> None:
    survey = [["type", "name", "label::English (en)", "label::Français"], ["text", "a", "Why?", "Pourquoi ?"], ["text", "b", "How?", None]]
    done = imported(workbook(survey=survey), "form.xlsx")
    instrument = sound(done)
    assert instrument.languages == ("en", "fr")
    assert [question.text["fr"] for question in instrument.questions] == ["Pourquoi ?", "How?"]
    assert told(done, "untranslated") == ["form.xlsx: 3 texts are missing in fr (those in en stand in)"]
    unknown = imported(workbook(survey=[["type", "name", "label::Our tongue"], ["text", "a", "X"]]), "form.xlsx")
    assert "which language is" in told(unknown, "language?")[0]
    named = imported(
        workbook(survey=[["type", "name", "label::Our tongue"], ["text", "a", "X"]]), "form.xlsx", languages={"Our tongue": "my"}
    )
    assert sound(named).languages == ("my",)


def test_a_value_beside_the_range_of_a_number_has_a_code_of_its_own_and_rules_ask_for_it() -> None:
    done = xlsform(
        rows(
            {"type": "integer", "name": "months", "label": "Months?", "constraint": ". = 99 or (. >= 0 and . <= 20)"},
            {"type": "text", "name": "why", "label": "Why not?", "relevant": "${months} = 99"},
            {"type": "text", "name": "how", "label": "How?", "relevant": "${months} != 99"},
            {"type": "text", "name": "long", "label": "Why so long?", "relevant": "${months} > 12"},
        )
    )
    instrument = sound(done)
    months = instrument.question("Months")
    assert isinstance(months, Integer)
    assert (months.min, months.max, [special.code for special in months.special]) == (0, 20, ["dk"])
    assert instrument.question("Why").show_if == Rule(q="Months", op="in", value=("dk",))
    assert instrument.question("How").show_if == Rule(q="Months", op="not_in", value=("dk",))
    assert instrument.question("Long").show_if == Rule(q="Months", op="at_least", value=(13,))
    assert ("months=99", "Months=dk") in done.report.names


@pytest.mark.parametrize(
    ("identifying", "about", "sensitive", "neither"),
    [
        ("Qual è il tuo cognome?", "Qual è la tua età?", "Hai una malattia cronica?", "Ti piace la piazza?"),
        ("Wat is uw achternaam?", "Wat is uw leeftijd?", "Hebt u een ziekte?", "Vindt u het plein mooi?"),
        ("Jakie jest Twoje nazwisko?", "Jaki jest Twój wiek?", "Czy masz chorobę przewlekłą?", "Czy podoba Ci się plac?"),
        ("Qual é o seu apelido?", "Qual é a sua idade?", "Tem alguma doença?", "Gosta da praça?"),
        ("Quel est votre nom ?", "Quel est votre âge ?", "Avez-vous une maladie ?", "Aimez-vous la place ?"),
    ],
    ids=["it", "nl", "pl", "pt", "fr"],
)
def test_roles_are_guessed_by_words_of_eight_languages(identifying: str, about: str, sensitive: str, neither: str) -> None:
    texts = {"a": identifying, "b": about, "c": sensitive, "d": neither}
    kinds = {"a": "text", "b": "integer", "c": "select_one yn", "d": "select_one yn"}
    done = xlsform(
        rows(*({"type": kinds[name], "name": name, "label": text} for name, text in texts.items())), [["yn", "1", "+"], ["yn", "2", "-"]]
    )
    assert done.report.roles == {"identifying": ["A"], "quasi_identifier": ["B"], "sensitive": ["C"], "insensitive": ["D"]}


def test_a_language_without_words_of_persons_is_told() -> None:
    asked = workbook(
        survey=[["type", "name", "label::Eesti (et)"], ["select_one x", "a", "Kui vana?"]],
        choices=[["list_name", "name"], ["x", "1"], ["x", "2"]],
    )
    assert "no words of persons are known in et" in told(imported(asked, "form.xlsx"), "role-words")[0]
    assert told(xlsform(rows({"type": "text", "name": "a", "label": "Why?"})), "role-words") == []


SURVEYJS: dict[str, Any] = {
    "title": {"default": "Form", "fr": "Formulaire"},
    "pages": [
        {
            "name": "one",
            "title": "One",
            "elements": [
                {"type": "radiogroup", "name": "a", "title": "A?", "choices": ["x", {"value": 2, "text": "Two"}], "isRequired": True},
                {"type": "checkbox", "name": "m", "choices": ["p", "q"], "showNoneItem": True, "visibleIf": "{a} = 'x'"},
                {"type": "boolean", "name": "b", "title": "B?"},
                {"type": "text", "name": "n", "inputType": "number", "min": 1, "max": 9, "visibleIf": "{b} = true"},
                {"type": "rating", "name": "r", "rateMax": 4},
                {"type": "matrix", "name": "g", "columns": ["1", "2"], "rows": ["u", "v"], "isAllRowRequired": True},
                {"type": "multipletext", "name": "f", "title": "Which?", "items": [{"name": "one"}, {"name": "two", "inputType": "date"}]},
                {"type": "comment", "name": "c", "maxLength": 50, "visibleIf": "{m} contains 'p' or {g.u} = 2"},
                {"type": "file", "name": "file"},
            ],
        }
    ],
}


def test_a_surveyjs_form_becomes_questions_of_our_kinds() -> None:
    done = imported(json.dumps(SURVEYJS).encode(), "form.json")
    instrument = sound(done)
    kinds = {question.id: type(question) for question in instrument.questions}
    assert kinds == {
        "A": Single, "M": Multiple, "B": Single, "N": Integer, "R": Single, "G": Matrix, "F_one": ShortText, "F_two": Date, "C": LongText,
    }  # fmt: skip
    assert instrument.title == {"en": "Form", "fr": "Formulaire"}
    multiple = instrument.question("M")
    assert isinstance(multiple, Multiple)
    assert [(option.code, option.exclusive) for option in multiple.options] == [("p", False), ("q", False), ("none", True)]
    number = instrument.question("N")
    assert number.show_if is not None
    assert (number.show_if.q, number.show_if.value) == ("B", ("yes",))
    rating = instrument.question("R")
    assert isinstance(rating, Single)
    assert (rating.ordered, [option.code for option in rating.options]) == (True, ["1", "2", "3", "4"])
    comment = instrument.question("C").show_if
    assert comment is not None
    assert [(part.q, part.op, part.rows) for part in comment.any] == [("M", "any_in", ()), ("G", "any_row_in", ("u",))]
    assert told(done, "kind-refused")[0].startswith("form.json:/pages/0/elements/8: file asks for a file")


def lss(*tables: str) -> bytes:
    head = "<LimeSurveyDocType>Survey</LimeSurveyDocType><languages><language>en</language></languages>"
    return f"<document>{head}{''.join(tables)}</document>".encode()


def table(name: str, *records: dict[str, str]) -> str:
    lines = ["".join(f"<{key}><![CDATA[{value}]]></{key}>" for key, value in record.items()) for record in records]
    return f"<{name}><rows>{''.join(f'<row>{line}</row>' for line in lines)}</rows></{name}>"


GROUP = {"gid": "2", "sid": "9", "group_order": "1"}
QUESTIONS: list[dict[str, str]] = [
    {
        "qid": "3",
        "sid": "9",
        "gid": "2",
        "type": "L",
        "title": "A",
        "mandatory": "Y",
        "other": "N",
        "question_order": "1",
        "parent_qid": "0",
    },
    {
        "qid": "4",
        "sid": "9",
        "gid": "2",
        "type": "M",
        "title": "M",
        "question_order": "2",
        "relevance": '9X2X3.NAOK == "1"',
        "parent_qid": "0",
    },
    {
        "qid": "5",
        "sid": "9",
        "gid": "2",
        "type": "F",
        "title": "G",
        "question_order": "3",
        "relevance": 'M_SQ1.NAOK == "Y"',
        "parent_qid": "0",
    },
    {"qid": "6", "sid": "9", "gid": "2", "type": "N", "title": "N", "question_order": "4", "parent_qid": "0"},
    {"qid": "7", "sid": "9", "gid": "2", "type": "X", "title": "X", "question_order": "5", "parent_qid": "0"},
]
WORDS = {"3": "<b>Which</b>?", "4": "Several?", "5": "Grid?", "6": "Number?", "7": "A note."}
ANSWERS = [
    {"aid": f"{qid}{code}", "qid": qid, "code": code, "sortorder": code, "scale_id": "0"} for qid in ("3", "5") for code in ("1", "2")
]
SUBQUESTIONS = [
    {"qid": f"{parent}1", "parent_qid": parent, "title": "SQ1", "question_order": "1", "scale_id": "0"} for parent in ("4", "5")
]
ATTRIBUTES = [
    {"qid": "6", "attribute": "min_num_value_n", "value": "1"}, {"qid": "6", "attribute": "max_num_value_n", "value": "8"},
    {"qid": "6", "attribute": "num_value_int_only", "value": "1"},
]  # fmt: skip


def beside() -> bytes:
    """Texts in the tables themselves, as before version 4."""
    spoken = {"language": "en"}
    return lss(
        table("groups", GROUP | spoken | {"group_name": "Group"}),
        table("questions", *(record | spoken | {"question": WORDS[record["qid"]]} for record in QUESTIONS)),
        table("subquestions", *(record | spoken | {"question": "Part"} for record in SUBQUESTIONS)),
        table("answers", *(record | spoken | {"answer": f"Answer {record['code']}"} for record in ANSWERS)),
        table("question_attributes", *ATTRIBUTES),
    )


def apart() -> bytes:
    """Texts in tables of their own, as since version 4."""
    spoken = {"language": "en"}
    return lss(
        table("groups", GROUP),
        table("group_l10ns", {"gid": "2", "group_name": "Group"} | spoken),
        table("questions", *QUESTIONS),
        table("subquestions", *SUBQUESTIONS),
        table(
            "question_l10ns", *({"qid": qid, "question": words} | spoken for qid, words in [*WORDS.items(), ("41", "Part"), ("51", "Part")])
        ),
        table("answers", *ANSWERS),
        table("answer_l10ns", *({"aid": record["aid"], "answer": f"Answer {record['code']}"} | spoken for record in ANSWERS)),
        table("question_attributes", *ATTRIBUTES),
    )


@pytest.mark.parametrize("content", [beside(), apart()], ids=["texts in the tables", "texts in tables of their own"])
def test_a_limesurvey_structure_is_read_in_both_layouts(content: bytes) -> None:
    instrument = sound(imported(content, "form.lss"))
    one, several, grid, number = instrument.questions
    assert isinstance(one, Single)
    assert (one.text, one.required) == ({"en": "Which?"}, True)
    assert [(option.code, option.text["en"]) for option in one.options] == [("1", "Answer 1"), ("2", "Answer 2")]
    assert isinstance(several, Multiple)
    assert several.show_if is not None
    assert (several.show_if.q, several.show_if.op, several.show_if.value) == ("A", "in", ("1",))
    assert isinstance(grid, Matrix)
    assert grid.show_if is not None
    assert (grid.show_if.q, grid.show_if.op, grid.show_if.value) == ("M", "any_in", ("SQ1",))
    assert [(row.code, row.text["en"]) for row in grid.rows] == [("SQ1", "Part")]
    assert isinstance(number, Integer)
    assert (number.min, number.max) == (1, 8)
    assert instrument.sections[0].text == {"en": "Group"}


def survey_of(**more: str) -> str:
    return table("surveys", {"sid": "9", "language": "en"} | more)


QUOTA = {"id": "1", "sid": "9", "name": "Old town", "qlimit": "40", "action": "1", "active": "1"}
FULL = {"quotals_quota_id": "1", "quotals_language": "en", "quotals_message": "<p>Enough, thank you.</p>"}


def members(*codes: tuple[str, str], quota: str = "1") -> str:
    return table("quota_members", *({"id": str(n), "quota_id": quota, "qid": qid, "code": code} for n, (qid, code) in enumerate(codes)))


def with_tables(*tables: str) -> bytes:
    return beside().replace(b"</document>", "".join(tables).encode() + b"</document>")


def test_dates_of_a_limesurvey_survey_become_opens_and_closes_in_a_zone_that_is_to_review() -> None:
    dated = survey_of(startdate="2026-12-01 09:00:00", expires="2026-12-31 18:30:00", listpublic="N", format="S")
    done = imported(with_tables(dated), "form.lss")
    instrument = sound(done)
    assert instrument.opens == Opening("2026-12-01 09:00", "UTC")
    assert instrument.closes == Closing("2026-12-31 18:30", "UTC")
    assert (instrument.listed, instrument.one_question_per_page) == (False, True)
    assert len(told(done, "zone")) == 2
    assert "# review: it opens at 2026-12-01 09:00" in done.yaml
    turned = survey_of(startdate="2026-12-31 09:00:00", expires="2026-12-01 18:30:00")
    done = imported(with_tables(turned), "form.lss")
    assert sound(done).closes is None
    assert told(done, "setting") == ["form.lss: closes of the source does not fit, and is left out"]
    assert sound(imported(with_tables(survey_of(startdate="", expires="")), "form.lss")).opens is None


def test_quotas_of_a_limesurvey_survey_count_whom_they_counted_there() -> None:
    found = members(("3", "1"), ("3", "2"), ("4", "SQ1"))
    done = imported(with_tables(table("quota", QUOTA), found, table("quota_languagesettings", FULL)), "form.lss")
    (quota,) = sound(done).quotas
    assert (quota.id, quota.limit, quota.text) == ("old_town", 40, {"en": "Enough, thank you."})
    either, ticked = quota.when.all
    assert (either.q, either.op, either.value) == ("A", "in", ("1", "2"))
    assert (ticked.q, ticked.op, ticked.value) == ("M", "any_in", ("SQ1",))


@pytest.mark.parametrize(
    ("quota", "member", "message", "reason"),
    [
        ({"qlimit": "9"}, ("3", "1"), FULL, "a quota of 9 would tell of single people, at least 10 are needed"),
        ({}, ("3", "7"), FULL, "A has no code 7"),
        ({}, ("8", "1"), FULL, "there is no question"),
        ({}, ("3", "1"), FULL | {"quotals_message": ""}, "it has no words for those who come after it"),
        ({"active": "0"}, ("3", "1"), FULL, "is not active in the source"),
    ],
    ids=["too small", "an unknown code", "an unknown question", "no words", "not active"],
)
def test_a_quota_that_cannot_be_is_named_with_its_place_and_reason(
    quota: dict[str, str], member: tuple[str, str], message: dict[str, str], reason: str
) -> None:
    tables = table("quota", QUOTA | quota), members(member), table("quota_languagesettings", message)
    done = imported(with_tables(*tables), "form.lss")
    assert sound(done).quotas == ()
    (line,) = told(done, "quota")
    assert line.startswith('form.lss:quota 1: the quota "Old town" is ')
    assert reason in line


def test_rows_and_options_that_an_earlier_answer_lets_through_are_shown_by_it() -> None:
    attributes = table(
        "question_attributes",
        {"qid": "5", "attribute": "array_filter", "value": "M"},
        {"qid": "6", "attribute": "prefix", "value": "€"},
        {"qid": "7", "attribute": "time_limit", "value": "30"},
    )
    extra = [{"qid": "42", "parent_qid": "4", "title": "SQ2"}, {"qid": "52", "parent_qid": "5", "title": "SQ2"}]
    added = table("subquestions", *(record | {"language": "en", "question": "Part", "question_order": "2"} for record in extra))
    parts = beside().decode()
    rows = re.search(r"<subquestions><rows>(.*?)</rows>", added, re.DOTALL)
    assert rows is not None
    content = parts.replace("<subquestions><rows>", f"<subquestions><rows>{rows[1]}").replace(
        parts[parts.index("<question_attributes>") : parts.index("</document>")], attributes
    )
    done = imported(content.encode(), "form.lss")
    grid = sound(done).question("G")
    assert isinstance(grid, Matrix)
    assert {row.code: row.show_if for row in grid.rows} == {code: Rule(q="M", op="any_in", value=(code,)) for code in ("SQ1", "SQ2")}
    number = sound(done).question("N")
    assert isinstance(number, Numeric)
    assert number.unit == {"en": "€"}
    assert told(done, "setting") == ["form.lss:question X: answering X has no time limit"]
    other = sound(imported(content.replace("SQ2", "SQ3", 1).encode(), "form.lss")).question("G")
    assert isinstance(other, Matrix)
    assert {row.code: row.show_if for row in other.rows} == {"SQ1": Rule(q="M", op="any_in", value=("SQ1",)), "SQ2": None}
    unknown = imported(content.replace(attributes, attributes.replace("M", "W")).encode(), "form.lss")
    assert "G" not in {question.id for question in sound(unknown).questions}, "it was meant for some, and we do not know for whom"
    assert 'shown by "array_filter: W"' in told(unknown, "filter-refused")[0]


@pytest.mark.parametrize(("always", "places"), [(1, 1), (2, 2), (0, None)])
def test_a_ranking_asks_for_as_many_places_as_there_are_options_for_everybody(always: int, places: int | None) -> None:
    choices = [{"value": str(n), **({} if n < always else {"visibleIf": "{a} = 'x'"})} for n in range(3)]
    form = {"elements": [{"type": "radiogroup", "name": "a", "choices": ["x", "y"]}, {"type": "ranking", "name": "r", "choices": choices}]}
    done = imported(json.dumps(form).encode(), "form.json")
    found = {question.id: question for question in sound(done).questions}
    if places is None:
        assert set(found) == {"A"}
        assert "somebody might see none of them" in told(done, "filter-refused")[0]
    else:
        assert isinstance(found["R"], Ranking)
        assert found["R"].rank_count == places


@pytest.mark.parametrize(
    ("relevant", "rule"),
    [
        ("../../one/answer = 'x'", Rule(q="Answer", op="in", value=("x",))),
        ("/form/two/answer = 'x'", Rule(q="Answer_2", op="in", value=("x",))),
        ("../answer = 'x'", Rule(q="Answer_2", op="in", value=("x",))),
        ("../../one/other = 'x'", None),
        ("../../three/answer = 'x'", None),
        ("../../one/*  = 'x'", None),
    ],
)
def test_a_path_of_an_xlsform_leads_to_the_question_of_its_group(relevant: str, rule: Rule | None) -> None:
    rows: list[list[Any]] = [["type", "name", "label", "relevant"]]
    for group in ("one", "two"):
        rows += [["begin group", group, group, ""], ["select_one xy", "answer", f"Which {group}?", ""]]
        rows += [["text", "more", "More?", relevant]] if group == "two" else []
        rows.append(["end group", "", "", ""])
    done = xlsform(rows, [["xy", "x", "X"], ["xy", "y", "Y"]])
    found = {question.id: question.show_if for question in sound(done).questions}
    assert found == {"Answer": None, "Answer_2": None} | ({"More": rule} if rule else {})
    assert bool(told(done, "rule-refused")) == (rule is None)


def test_the_rule_of_a_group_may_name_what_stands_beside_it_by_a_path() -> None:
    rows = [
        ["type", "name", "label", "relevant"], ["begin group", "outer", "Outer", ""], ["select_one xy", "a", "A?", ""],
        ["begin group", "inner", "Inner", "selected(../a, 'x')"], ["text", "more", "More?", ""],
        ["end group", "", "", ""], ["end group", "", "", ""],
    ]  # fmt: skip
    done = xlsform(rows, [["xy", "x", "X"], ["xy", "y", "Y"]])
    assert sound(done).questions[1].show_if == Rule(q=sound(done).questions[0].id, op="in", value=("x",))


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        (["{t} > 10", "{t} notempty"], Numeric),
        (["{t} > 10", "{t} = '5'"], Numeric),
        (["{t} > 10", "{t} = 'ten'"], ShortText),
        (["{t} = '5'"], ShortText),
        (["{t} notempty"], ShortText),
    ],
)
def test_a_text_that_is_compared_as_a_number_is_asked_as_one_to_review(rules: list[str], kind: type) -> None:
    asked = [{"type": "text", "name": f"q{place}", "visibleIf": rule} for place, rule in enumerate(rules)]
    done = imported(json.dumps({"elements": [{"type": "text", "name": "t"}, *asked]}).encode(), "form.json")
    assert type(sound(done).question("T")) is kind
    assert bool(told(done, "number-text")) == (kind is Numeric)
    if kind is Numeric:
        assert sound(done).question("Q0").show_if is not None
        assert "# review: t is a text which rules compare with numbers: it is asked as a number" in done.yaml


SHOWN = Rule(q="A", op="in", value=("x",))
GRID: dict[str, Any] = {"name": "g", "rows": [{"value": "r", "visibleIf": "{a} = 'x'"}, "s"], "columns": ["1", "2"]}


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        (GRID | {"type": "matrix"}, {"G": {"r": SHOWN, "s": None}}),
        (GRID | {"type": "matrix", "cellType": "checkbox"}, {"G_r": SHOWN, "G_s": None}),
        (
            GRID | {"type": "matrixdropdown", "columns": [{"name": "c", "cellType": "text"}, {"name": "d", "choices": ["1", "2"]}]},
            {"G_c_r": SHOWN, "G_c_s": None, "G_d": {"r": SHOWN, "s": None}},
        ),
        (
            GRID | {"type": "matrix", "rows": ["x", "y"], "rowsVisibleIf": "{a} = {item}"},
            {"G": {"x": SHOWN, "y": Rule(q="A", op="in", value=("y",))}},
        ),
        ({"type": "text", "name": "g", "valueName": "other", "visibleIf": "{a} = 'x'"}, {"G": SHOWN}),
    ],
    ids=["grid", "several in a row", "texts and choices", "one rule for all rows", "a name for its value"],
)
def test_a_row_that_some_do_not_see_is_never_shown_to_everybody(element: dict[str, Any], expected: dict[str, Any]) -> None:
    later = {"type": "text", "name": "t", "visibleIf": "{other} notempty"} if element["type"] == "text" else {"type": "text", "name": "t"}
    form = {"elements": [{"type": "radiogroup", "name": "a", "choices": ["x", "y"]}, element, later]}
    instrument = sound(imported(json.dumps(form).encode(), "form.json"))
    found: dict[str, Any] = {}
    for question in instrument.questions[1:-1]:
        found[question.id] = {row.code: row.show_if for row in question.rows} if isinstance(question, Matrix) else question.show_if
    assert found == expected
    assert instrument.question("T").show_if == (Rule(q="G", op="answered") if element["type"] == "text" else None)


@pytest.mark.parametrize(
    ("kind", "ids"),
    [("M", {"Q": "option"}), ("F", {"Q": "row"}), ("1", {"Q_1": "row", "Q_2": "row"}), ("Q", {"Q_SQ1": ""}), ("K", {"Q_SQ1": ""})],
)
def test_parts_of_a_limesurvey_question_keep_their_own_rules(kind: str, ids: dict[str, str]) -> None:
    spoken = {"language": "en"}
    asked = QUESTIONS[0] | spoken | {"question": "Which?"}
    parts = QUESTIONS[0] | spoken | {"qid": "8", "title": "Q", "type": kind, "question": "Parts?", "question_order": "2"}
    subs = [
        {"qid": "81", "parent_qid": "8", "title": "SQ1", "question_order": "1", "relevance": "A.NAOK == '1'"},
        {"qid": "82", "parent_qid": "8", "title": "SQ2", "question_order": "2", "relevance": "1"},
    ]
    scales = [record | {"aid": f"8{scale}{n}", "qid": "8", "scale_id": scale} for n, record in enumerate(ANSWERS[:2]) for scale in "01"]
    done = imported(
        lss(
            table("groups", GROUP | spoken | {"group_name": "Group"}),
            table("questions", asked, parts),
            table("subquestions", *(sub | spoken | {"question": sub["title"], "scale_id": "0"} for sub in subs)),
            table("answers", *(record | spoken | {"answer": f"Answer {record['code']}"} for record in [*ANSWERS[:2], *scales])),
        ),
        "form.lss",
    )
    shown = Rule(q="A", op="in", value=("1",))
    for id, part in ids.items():
        question = sound(done).question(id)
        if part:
            listed = question.rows if part == "row" and isinstance(question, Matrix) else getattr(question, "options", ())
            assert {item.code: item.show_if for item in listed} == {"SQ1": shown, "SQ2": None}
        else:
            assert question.show_if == shown
            assert sound(done).question("Q_SQ2").show_if is None


def test_a_field_of_a_limesurvey_question_may_ask_about_the_field_beside_it() -> None:
    spoken = {"language": "en"}
    fields = QUESTIONS[0] | spoken | {"qid": "8", "title": "Q", "type": "Q", "question": "Parts?"}
    subs = [
        {"qid": f"8{n}", "parent_qid": "8", "title": f"SQ{n}", "question": "Part", "question_order": str(n), "relevance": rule}
        for n, rule in ((1, "1"), (2, "!is_empty(self.sq_SQ1.NAOK)"))
    ]
    groups = table("groups", GROUP | spoken | {"group_name": "Group"})
    done = imported(lss(groups, table("questions", fields), table("subquestions", *(sub | spoken for sub in subs))), "form.lss")
    assert sound(done).question("Q_SQ2").show_if == Rule(q="Q_SQ1", op="answered")


def test_limesurvey_shows_all_columns_of_a_grid_whatever_their_relevance() -> None:
    spoken = {"language": "en"}
    grid = QUESTIONS[0] | spoken | {"qid": "8", "title": "Q", "type": ";", "question": "Parts?"}
    subs = [
        {"qid": f"8{scale}", "parent_qid": "8", "title": title, "question": title, "scale_id": scale, "relevance": relevance}
        for title, scale, relevance in (("SQ1", "0", "1"), ("h", "1", "h"))
    ]
    groups = table("groups", GROUP | spoken | {"group_name": "Group"})
    done = imported(lss(groups, table("questions", grid), table("subquestions", *(sub | spoken for sub in subs))), "form.lss")
    assert sound(done).question("Q_SQ1_h").show_if is None


@pytest.mark.parametrize(("most", "rule"), [("", Rule(q="R", op="answered")), ("1", None)])
def test_what_was_ranked_filters_where_everything_is_ranked(most: str, rule: Rule | None) -> None:
    spoken = {"language": "en"}
    ranking = QUESTIONS[0] | spoken | {"qid": "3", "title": "R", "type": "R", "question": "In which order?"}
    fields = QUESTIONS[0] | spoken | {"qid": "8", "title": "Q", "type": "Q", "question": "Parts?", "question_order": "2"}
    subs = [{"qid": f"8{n}", "parent_qid": "8", "title": n, "question": "Part", "question_order": n} for n in ("1", "9")]
    filtered = {"qid": "8", "attribute": "array_filter", "value": "R"}
    content = lss(
        table("groups", GROUP | spoken | {"group_name": "Group"}),
        table("questions", ranking, fields),
        table("subquestions", *(sub | spoken for sub in subs)),
        table("answers", *(record | spoken | {"answer": f"Answer {record['code']}"} for record in ANSWERS[:2])),
        table("question_attributes", filtered, {"qid": "3", "attribute": "max_answers", "value": most}),
    )
    found = {question.id: question.show_if for question in sound(imported(content, "form.lss")).questions}
    assert found == {"R": None, "Q_9": None} | ({"Q_1": rule} if rule else {})


def test_parts_of_a_qualtrics_question_keep_their_own_rules() -> None:
    shown = logic(("QID1/SelectableChoice/1", "Selected", ""))
    some = {"1": {"Display": "One", "DisplayLogic": shown}, "2": {"Display": "Two"}}
    fields = asked(2, QuestionType="TE", Selector="FORM") | {"Choices": some}
    grid = asked(3, QuestionType="Matrix", Selector="TE", Answers={"1": {"Display": "When"}}) | {"Choices": some}
    total = asked(4, QuestionType="CS", Validation={"Settings": {"ChoiceTotal": "100"}}) | {"Choices": some}
    carried = asked(5, DynamicChoices={"Locator": "q://QID1/ChoiceGroup/SelectedChoices"}, DefaultChoices={"1": True})
    done = imported(qsf(asked(1), fields, grid, total, carried), "form.qsf")
    rule = Rule(q="Q1", op="in", value=("1",))
    assert {question.id: question.show_if for question in sound(done).questions[1:]} == {
        "Q2_1": rule, "Q2_2": None, "Q3_1_1": rule, "Q3_2_1": None,
    }  # fmt: skip
    assert "all rows of a sum are asked" in told(done, "filter-refused")[0]
    assert "its choices are those that an earlier question lets through" in told(done, "rule-refused")[0]
    assert "the value of Q5 is left out" in told(done, "default-dropped")[0]


def test_a_question_of_which_nobody_would_see_an_option_is_refused() -> None:
    survey = [["type", "name", "label", "choice_filter"], ["select_one s", "s", "Which?", "kind = 'warm'"], ["text", "t", "Why?", None]]
    choices = [["list_name", "name", "label", "kind"], ["s", "a", "A", "cold"], ["s", "b", "B", "cold"]]
    done = imported(workbook(survey=survey, choices=choices), "form.xlsx")
    assert [question.id for question in sound(done).questions] == ["T"]
    assert "no answer meets any of them" in told(done, "filter-refused")[0]


def test_the_words_before_a_survey_and_its_codes_are_kept_to_be_reviewed() -> None:
    words = table(
        "surveys_languagesettings",
        {"surveyls_language": "en", "surveyls_title": "A survey", "surveyls_policy_notice": "<b>I take part.</b>"},
    )
    done = imported(with_tables(survey_of(usetokens="Y"), words), "form.lss")
    instrument = sound(done)
    assert instrument.notice == {"en": "I take part."}
    assert instrument.participation == "invited"
    assert (len(told(done, "notice")), len(told(done, "invited"))) == (1, 1)


def test_what_stands_beside_the_questions_of_a_file_is_never_passed_over_in_silence() -> None:
    book = workbook(
        survey=[["type", "name", "label", "read_only"], ["text", "a", "Why?", "yes"]],
        settings=[["form_title", "style"], ["A form", "pages"]],
        entities=[["list_name", "label"], ["people", "x"]],
    )
    assert told(imported(book, "form.xlsx"), "setting") == [
        "form.xlsx:survey: columns that are not read: read_only",
        "form.xlsx:settings: settings that are not read: style",
        "form.xlsx: sheets that are not read: entities",
    ]
    form = SURVEYJS | {"maxTimeToFinish": 60, "questionsOrder": "random", "questionsOnPageMode": "questionPerPage"}
    done = imported(json.dumps(form).encode(), "form.json")
    assert sound(done).one_question_per_page
    assert told(done, "setting") == ["form.json:/maxTimeToFinish: maxTimeToFinish: answering has no time limit"]
    assert "form.json: questions stand in one order for all" in told(done, "order-fixed")
    fields = b"field_name,form_name,field_type,field_label,colour\nid,one,text,Id,\nwhy,one,text,Why?,red\n"
    assert told(imported(fields, "dictionary.csv"), "setting") == ["dictionary.csv: columns that are not read: colour"]
    dated = json.loads(qsf(asked(1)))
    dated["SurveyEntry"] |= {"SurveyStartDate": "0000-00-00 00:00:00", "SurveyExpirationDate": "2026-12-31 23:00:00"}
    dated["SurveyElements"].append({"Element": "QO", "PrimaryAttribute": "QO_1", "Payload": {"Name": "Women", "Occurrences": 50}})
    done = imported(json.dumps(dated).encode(), "form.qsf")
    assert (sound(done).opens, sound(done).closes) == (None, Closing("2026-12-31 23:00", "UTC"))
    assert told(done, "quota") == ['form.qsf:QO_1: the quota "Women" is left out: write it under quotas by hand']


DICTIONARY = """\
"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels","Field Note",\
"Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",Identifier?,\
"Branching Logic (Show field only if...)",\
"Required Field?","Custom Alignment","Question Number (surveys only)","Matrix Group Name","Matrix Ranking?","Field Annotation"
record_id,one,,text,ID,,,,,,,,,,,,,
mail,one,,text,Your address,,,email,,,y,,,,,,,
kind,one,Kinds,radio,Which?,"1, One, indeed | 2, Two",,,,,,,y,,,,,
more,one,,checkbox,More?,"a, A|b, B",,,,,,[kind]='2',,,,,,
age,one,,text,Age,,,integer,18,99,,[more(a)]='1',,,,,,
r1,one,Rows,radio,First,"1, Yes | 0, No",,,,,,,,,,rows,,
r2,one,,radio,Second,"1, Yes | 0, No",,,,,,,,,,rows,,
late,one,,text,When?,,,datetime_ymd,,,,,,,,,,
"""


def test_a_redcap_dictionary_is_read_row_by_row() -> None:
    done = imported(DICTIONARY.encode("utf-8-sig"), "dictionary.csv")
    instrument = sound(done)
    mail, kind, more, age, grid = instrument.questions
    assert mail.privacy.role == "identifying"
    assert isinstance(kind, Single)
    assert [(option.code, option.text["en"]) for option in kind.options] == [("1", "One, indeed"), ("2", "Two")]
    assert isinstance(more, Multiple)
    assert isinstance(age, Integer)
    assert age.show_if is not None
    assert (age.show_if.q, age.show_if.op, age.show_if.value) == ("More", "any_in", ("a",))
    assert isinstance(grid, Matrix)
    assert [row.code for row in grid.rows] == ["r1", "r2"]
    assert told(done, "kind-refused")[0].startswith("dictionary.csv:row 9, late: late asks for a time of day")


def qsf(*questions: dict[str, Any], flow: list[dict[str, Any]] | None = None) -> bytes:
    block = {
        "Type": "Default",
        "Description": "Block",
        "ID": "BL_1",
        "BlockElements": [{"Type": "Question", "QuestionID": q["QuestionID"]} for q in questions],
    }
    elements: list[dict[str, Any]] = [
        {"Element": "BL", "Payload": [block, {"Type": "Trash", "ID": "BL_2", "BlockElements": []}]},
        {"Element": "FL", "Payload": {"Flow": flow or [{"Type": "Block", "ID": "BL_1", "FlowID": "FL_2"}]}},
        *({"Element": "SQ", "PrimaryAttribute": q["QuestionID"], "Payload": q} for q in questions),
    ]
    return json.dumps({"SurveyEntry": {"SurveyName": "Some survey", "SurveyLanguage": "EN"}, "SurveyElements": elements}).encode()


def test_a_qualtrics_rule_speaks_of_choice_ids_while_answers_are_recoded() -> None:
    shown = {"0": {"0": {"LogicType": "Question", "ChoiceLocator": "q://QID1/SelectableChoice/2", "Operator": "Selected"}, "Type": "If"}}
    done = imported(
        qsf(
            {
                "QuestionID": "QID1", "DataExportTag": "Q1", "QuestionType": "MC", "Selector": "SAVR", "QuestionText": "Which?<br>",
                "Choices": {"1": {"Display": "One"}, "2": {"Display": "Two"}}, "ChoiceOrder": ["2", "1"],
                "RecodeValues": {"1": "2", "2": "1"},
                "Validation": {"Settings": {"ForceResponse": "ON"}},
            },
            {
                "QuestionID": "QID2", "DataExportTag": "Q2", "QuestionType": "Matrix", "Selector": "Likert", "SubSelector": "SingleAnswer",
                "QuestionText": "Grid", "Choices": {"1": {"Display": "Row"}},
                "Answers": {"1": {"Display": "Bad"}, "2": {"Display": "Good"}},
                "DisplayLogic": shown,
            },
            {"QuestionID": "QID3", "DataExportTag": "Q3", "QuestionType": "FileUpload", "QuestionText": "Your file"},
        ),
        "form.qsf",
    )  # fmt: skip
    one, grid = sound(done).questions
    assert isinstance(one, Single)
    assert [(option.code, option.text["en"]) for option in one.options] == [("1", "Two"), ("2", "One")]
    assert one.required
    assert isinstance(grid, Matrix)
    assert grid.ordered
    assert grid.show_if is not None
    assert (grid.show_if.q, grid.show_if.value) == ("Q1", ("1",))
    assert told(done, "kind-refused")[0].startswith("form.qsf:QID3 (Q3): Q3 asks for a file")


def logic(*tests: tuple[str, str, str]) -> dict[str, Any]:
    """Display logic: each test's locator and operator, and how it is joined to those before."""
    parts = {
        str(place): {"LogicType": "Question", "ChoiceLocator": f"q://{where}", "Operator": op, "Conjuction": joint}
        if where.startswith("QID")
        else {"LogicType": where, "Operator": op, "Conjuction": joint}
        for place, (where, op, joint) in enumerate(tests)
    }
    return {"0": {**parts, "Type": "If"}}


def asked(number: int, **more: Any) -> dict[str, Any]:
    choices = {"1": {"Display": "One"}, "2": {"Display": "Two"}}
    id = f"QID{number}"
    question = {"QuestionID": id, "DataExportTag": f"Q{number}", "QuestionType": "MC", "Selector": "SAVR", "QuestionText": id}
    return {**question, "Choices": choices, **more}


@pytest.mark.parametrize(
    ("tests", "rule"),
    [
        ([("QID2/SelectableChoice/1", "Displayed", "")], {"q": "Q1", "op": "in", "value": ["1"]}),
        (
            [("QID2/SelectableChoice/2", "Displayed", "")],
            {"all": [{"q": "Q1", "op": "in", "value": ["1"]}, {"not": {"q": "Q1", "op": "in", "value": ["2"]}}]},
        ),
        ([("QID2/SelectableChoice/1", "NotDisplayed", "")], {"not": {"q": "Q1", "op": "in", "value": ["1"]}}),
        ([("QID1/SelectableChoice/1", "Displayed", "")], None),
        ([("QID1/SelectableChoice/1", "Displayed", ""), ("DeviceType", "Is", "Or")], None),
        ([("QID3/SelectableChoice/1/2", "Selected", "")], {"q": "Q3", "op": "any_row_in", "value": ["2"], "rows": ["1"]}),
        (
            [("QID3/SelectableChoice/2/1", "NotSelected", "")],
            {"not": {"q": "Q3", "op": "any_row_in", "value": ["1"], "rows": ["2"]}},
        ),
        ([("QID4/SelectableChoice/2/1", "Selected", "")], {"q": "Q4_2", "op": "any_in", "value": ["1"]}),
        ([("QID5%231/SelectableChoice/1/2", "Selected", "")], {"q": "Q5_1", "op": "any_row_in", "value": ["2"], "rows": ["1"]}),
    ],
)
def test_a_qualtrics_rule_speaks_of_cells_and_of_what_is_shown(tests: list[tuple[str, str, str]], rule: dict[str, Any] | None) -> None:
    answers = {"1": {"Display": "Bad"}, "2": {"Display": "Good"}}
    second = asked(2, DisplayLogic=logic(("QID1/SelectableChoice/1", "Selected", "")))
    second["Choices"]["2"] = {"Display": "Two", "DisplayLogic": logic(("QID1/SelectableChoice/2", "NotSelected", ""))}
    grid = {"QuestionType": "Matrix", "Selector": "Likert", "Answers": answers}
    several = asked(4, **grid, SubSelector="MultipleAnswer")
    columns = {"1": {"QuestionText": "Now", **grid, "SubSelector": "SingleAnswer"}}
    beside = asked(5, QuestionType="SBS", Selector="SBSMatrix", AdditionalQuestions=columns)
    last = asked(6, DisplayLogic=logic(*tests))
    done = imported(qsf(asked(1), second, asked(3, **grid, SubSelector="SingleAnswer"), several, beside, last), "form.qsf")
    shown = sound(done).question("Q6").show_if
    assert shown == (None if rule is None else msgspec.convert(rule, Rule))


@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        ([("QID1/SelectableChoice/1", "Displayed", ""), ("DeviceType", "Is", "And")], "it asks about DeviceType, which is no answer"),
        ([("QID1/SelectableChoice/1", "Selected", ""), ("PanelData", "Is", "Or")], "it asks about PanelData, which is no answer"),
        ([("QID9/SelectableChoice/1", "Displayed", "")], "there is no question QID9"),
    ],
)
def test_a_qualtrics_rule_about_no_answer_is_refused_unless_the_rest_decides(tests: list[tuple[str, str, str]], reason: str) -> None:
    done = imported(qsf(asked(1), asked(2, DisplayLogic=logic(*tests))), "form.qsf")
    assert [question.id for question in sound(done).questions] == ["Q1"]
    assert reason in told(done, "rule-refused")[0]


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"var json = {pages: []}", "this is JavaScript, not JSON"),
        (b'{"pages": [}', "this is no JSON"),
        (b'{"a": 1}', "it has no pages, elements or questions"),
        (b"<html></html>", "this is no LimeSurvey structure"),
        (
            b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><document><LimeSurveyDocType>&b;</LimeSurveyDocType></document>',
            "document type or entities",
        ),
        (b"PK\x03\x04 no zip", "it is no spreadsheet that can be read"),
        (b"\xd0\xcf\x11\xe0 no workbook", "it is no spreadsheet that can be read"),
        (b"just some words", "it is neither an XLSForm"),
        (b'{"pages":' + b"[" * 100_000, "this is no JSON|nested too deeply"),
        (zipped(b" " * 201_000_000), "larger than 200 MB once unzipped"),
        (b" " * 20_000_001, "it is larger than 20 MB"),
    ],
    ids=["javascript", "broken JSON", "other JSON", "HTML", "entities", "no zip", "no OLE", "words", "nested", "zip bomb", "too large"],
)
def test_a_file_that_is_no_questionnaire_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableForm) as refusal:
        imported(content, "file")
    assert re.search(reason, refusal.value.reason)
