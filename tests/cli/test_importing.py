"""What makes a row the same row, what an import map leaves out, and what a dry run says."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.cli import import_map
from deploy.cli.datafile.reading import FileOptions
from deploy.cli.import_map import ImportMap
from deploy.cli.importing import Import
from deploy.cli.mapping import UnfitHeader
from deploy.cli.server import Server
from proto import author
from proto.instrument import Instrument

AGAIN = """\
format: platea-instrument/1
id: again
version: 1.0.0
source_language: en
languages: [en, fr]
title: {en: Again, fr: Encore}
sections: [{id: A, text: {en: A, fr: A}}]
questions:
  - {id: S1, var: s1, section: A, type: single, text: {en: Dog, fr: Chien}, privacy: {role: insensitive}, stats: [count],
     options: [{code: "no", en: "No", fr: Non}, {code: "yes", en: "Yes", fr: Oui}]}
  - {id: T1, var: t1, section: A, type: short_text, text: {en: Word, fr: Mot}, privacy: {role: free_text}, stats: [count]}
  - {id: N3, var: n3, section: A, type: numeric, decimals: 2, min: 0, max: 99, text: {en: Fare, fr: Prix}, privacy: {role: insensitive},
     stats: [count]}
  - {id: M1, var: m1, section: A, type: multiple, text: {en: Why, fr: Pourquoi}, privacy: {role: insensitive}, stats: [count],
     options: [{code: work, en: Work, fr: Travail}, {code: fun, en: Fun, fr: Plaisir}]}
  - {id: R1, var: r1, section: A, type: ranking, rank_count: 2, text: {en: Best, fr: Mieux}, privacy: {role: insensitive}, stats: [count],
     options: [{code: park, en: Park, fr: Parc}, {code: river, en: River, fr: Fleuve}]}
"""
KEY = b"k" * 64
HEAD = "format: platea-import/2\nsurvey: again\ncolumns:\n"
COLUMNS = '  "Dog": {question: S1}\n  "Word": {question: T1}\n  "Fare": {question: N3}\n'
FILE = "Dog,Word,Fare\nno,a,1.5\nyes,b,2\nno,c,\n"


def survey() -> Instrument:
    found = author.read(AGAIN, "again.yaml", lambda name: "")
    assert isinstance(found, Instrument), "\n".join(map(str, found))
    return found


def job(tmp_path: Path, data: str, map_text: str, of: Instrument | None = None) -> Import:
    file = tmp_path / "answers.csv"
    file.write_text(data, encoding="utf-8")
    map_ = import_map.read(map_text, "map.yaml")
    assert isinstance(map_, ImportMap), "\n".join(map(str, map_))
    return Import(Server("http://nowhere", None, None), of or survey(), KEY, file, map_, False)


def receipts(tmp_path: Path, data: str, map_text: str) -> set[str]:
    return {one.receipt for one in job(tmp_path, data, map_text).read_table(FileOptions(), dry_run=False)}


def bodies(tmp_path: Path, data: str, map_text: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(one.body) for one in job(tmp_path, data, map_text).read_table(FileOptions(), dry_run=False)]


@pytest.mark.parametrize(
    ("data", "map_text"),
    [
        ("Fare,Word,Dog\n,c,no\n2,b,yes\n1.5,a,no\n", HEAD + COLUMNS),
        ("Dog,Word,Fare\nno,a,1.50\nyes,b,2.0\nno,c,\n", HEAD + COLUMNS),
        ('Dog;Word;Fare\nno;a;"1,5"\nyes;b;2\nno;c;\n', HEAD + COLUMNS),
        ("Dog,Word,Fare,Notes\nno,a,1.5,x\nyes,b,2,y\nno,c,,\n", HEAD + COLUMNS + "ignored: {Notes: mine}\n"),
        ("Has a dog,Word,Fare\nno,a,1.5\nyes,b,2\nno,c,\n", HEAD + COLUMNS.replace("Dog", "Has a dog")),
        (FILE, HEAD + COLUMNS.replace("{question: S1}", '{question: S1, codes: {"no": "yes", "yes": "no"}}')),
    ],
    ids=["order", "decimals", "separator", "a column more", "a header renamed", "codes mended"],
)
def test_a_file_that_says_the_same_is_known_again(tmp_path: Path, data: str, map_text: str) -> None:
    first = receipts(tmp_path, FILE, HEAD + COLUMNS)
    assert len(first) == 3
    assert receipts(tmp_path, data, map_text) == first


def test_a_named_identity_decides_alone_and_is_no_answer(tmp_path: Path) -> None:
    map_text = HEAD + COLUMNS + "rows: {identity: [Id]}\n"
    data = "Id,Dog,Word,Fare\n1,no,a,1.5\n2,no,a,1.5\n"
    first = receipts(tmp_path, data, map_text)
    assert receipts(tmp_path, data.replace("no,a", "yes,b"), map_text) == first
    assert bodies(tmp_path, data, map_text)[0]["answers"] == {"S1": "no", "T1": "a", "N3": 1.5}
    twice = job(tmp_path, "Id,Dog,Word,Fare\n1,no,a,1\n1,yes,b,2\n,no,c,3\n", map_text)
    assert len(twice.read_table(FileOptions(), dry_run=False)) == 1
    assert {line: reasons for line, (_, reasons) in twice.refused.items()} == {
        3: ["the row is known by the same cells as line 2"],
        4: ["the columns that tell rows apart are empty"],
    }


def test_what_was_imported_with_a_map_of_format_1_stays_known(tmp_path: Path) -> None:
    old = HEAD.replace("/2", "/1") + COLUMNS
    cells = ['{"Dog":"no","Fare":"1.5","Word":"a"}', '{"Dog":"yes","Fare":"2","Word":"b"}', '{"Dog":"no","Word":"c"}']
    digests = [hmac.digest(KEY, b"platea-import-1\0again\0001\0" + content.encode(), "sha256") for content in cells]
    assert receipts(tmp_path, FILE, old) == {urlsafe_b64encode(digest).rstrip(b"=").decode() for digest in digests}


def test_a_column_in_neither_list_is_a_fault_that_a_dry_run_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = "Dog,Word,Fare,Email\nno,a,1.5,x@example.org\n"
    with pytest.raises(UnfitHeader, match="names 'Email' neither under columns nor under ignored"):
        job(tmp_path, data, HEAD + COLUMNS).read_table(FileOptions(), dry_run=False)
    dry = job(tmp_path, data, HEAD + COLUMNS)
    assert not dry.shown(dry.read_table(FileOptions(), dry_run=True), 1)
    assert "in neither    Email: send each to a question, or put it under `ignored`" in capsys.readouterr().out
    old = job(tmp_path, data, HEAD.replace("/2", "/1") + COLUMNS)
    assert len(old.read_table(FileOptions(), dry_run=False)) == 1
    assert list(old.undeclared()) == ["The map does not name 'Email': not imported."]


def test_rows_that_the_map_does_not_keep_are_left_out_and_counted(tmp_path: Path) -> None:
    map_text = HEAD + COLUMNS + 'rows: {keep: {Finished: ["1", "True"]}}\n'
    kept = job(tmp_path, "Dog,Word,Fare,Finished\nno,a,1,1\nno,b,1,0\nyes,c,1,True\n", map_text)
    assert [one.place for one in kept.read_table(FileOptions(), dry_run=False)] == [2, 4]
    assert kept.counts["left out"] == 1


def test_the_language_is_that_of_the_column_that_the_map_names(tmp_path: Path) -> None:
    map_text = HEAD + COLUMNS + "language: {column: Lang, codes: {EN: en, FR-BE: fr}}\n"
    read = job(tmp_path, "Dog,Word,Fare,Lang\nno,a,1,EN\nno,b,1,FR-BE\nno,c,1,\nno,d,1,NL\n", map_text)
    found = [msgspec.json.decode(one.body) for one in read.read_table(FileOptions(), dry_run=False)]
    assert [body.get("language") for body in found] == ["en", "fr", None]
    assert read.refused[5][1] == ["Lang: 'NL' has no code under language"]
    assert "language" not in bodies(tmp_path, "Dog,Word,Fare,language\nno,a,1,English\n", HEAD + COLUMNS + "ignored: [language]\n")[0]


REPORT = """\
answers.csv: 7 rows, UTF-8, comma, 1 header row
  Dog                       single S1                 yes 4, no 2
                            refused 1 × (line 6): 'yse' has no code in the map; nearest: 'Yes' (yes)
  Fare                      numeric N3                2 to 100, median 6, empty 1
                            1 × "-99" → missing
                            refused 1 × (line 5): '1,500' can mean 1500 or 1.5: say `numbers` in the map
  Word                      short text T1             5 texts, empty 2
                            1 × "NA" is not declared: missing, or an answer?
  Work to Fun               multiple M1               work 2, fun 2, 1 rows with none ticked, read as unanswered
  Park to River             ranking R1                places in up to 7 rows
                            Park: refused 1 × (line 3): the places 1, 3 are not 1 to 2, each once
left out      Id (a number), IP (device)
in neither    Extra: send each to a question, or put it under `ignored`
refused       line 3: Park: the places 1, 3 are not 1 to 2, each once
refused       line 5: Fare: '1,500' can mean 1500 or 1.5: say `numbers` in the map
refused       line 6: Dog: 'yse' has no code in the map; nearest: 'Yes' (yes)
refused       line 8: N3: This number is too large (<= 99).
Would import 3, refuse 4. Nothing was sent.
"""


def test_a_dry_run_says_what_each_column_was_taken_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    map_text = HEAD + (
        "  Dog: {question: S1, codes: {Yes: yes, No: no}}\n  Fare: {question: N3, missing: [-99]}\n  Word: {question: T1}\n"
        "  Work: {question: M1, option: work}\n  Fun: {question: M1, option: fun}\n"
        "  Park: {question: R1, option: park}\n  River: {question: R1, option: river}\n"
        "ignored: {Id: a number, IP: device}\n"
    )
    data = (
        "Dog,Fare,Word,Work,Fun,Park,River,Id,IP,Extra\n"
        "Yes,5,a,1,0,1,2,1,x,\nNo,-99,b,1,1,1,3,2,x,\nYes,2,,0,0,2,1,3,x,\n"
        'No,"1,500",,,,1,2,4,x,\nyse,7,c,,,1,2,5,x,\nYes,,NA,,1,1,2,6,x,\nYes,,d,,,1,2,7,x,\n'
    ).replace("Yes,,d,", "Yes,100,d,")
    dry = job(tmp_path, data, map_text)
    assert not dry.shown(dry.read_table(FileOptions(), dry_run=True), 1)
    assert capsys.readouterr().out == REPORT


WEIGHTED = (
    AGAIN.replace("platea-instrument/1", "platea-instrument/2")
    + """\
case_weight: {label: {en: Weight, fr: Poids}, least: 0.2, greatest: 5, classes: 4, privacy: {role: insensitive}}
"""
)
WEIGHTS = HEAD + '  "Dog": {question: S1}\nweight: {column: w, missing: ["0"]}\n'
CASES = "Dog,w\nno,0.31\nyes,0.5\nno,2.9\nno,0\nyes,\nyes,7\nyes,heavy\n"
WEIGHED = """\
answers.csv: 7 rows, UTF-8, comma, 1 header row
  Dog                       single S1                 yes 4, no 3
  w                         weight                    0.31 to 2.9, mean 1.237, effective sample 2 of 3, empty 1
                            kept as 3 of 4 classes, effective sample 2: weighted shares move by about 2% of half their interval
                            2 rows have no weight: in no weighted figure
                            1 × "0" → missing
                            refused 1 × (line 7): 7 is no weight from 0.2 to 5, as the questionnaire says
                            refused 1 × (line 8): 'heavy' is not a number
refused       line 7: w: 7 is no weight from 0.2 to 5, as the questionnaire says
refused       line 8: w: 'heavy' is not a number
Would import 5, refuse 2. Nothing was sent.
"""


def weighted_job(tmp_path: Path, data: str, map_text: str = WEIGHTS) -> Import:
    found = author.read(WEIGHTED, "again.yaml", lambda name: "")
    assert isinstance(found, Instrument), found
    return job(tmp_path, data, map_text, found)


def test_a_dry_run_tells_what_the_rows_weigh_and_what_rounding_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = weighted_job(tmp_path, CASES)
    assert not read.shown(read.read_table(FileOptions(), dry_run=True), 1)
    assert capsys.readouterr().out == WEIGHED


def test_a_row_is_sent_with_the_class_of_its_weight_and_known_again_when_the_weight_is_mended(tmp_path: Path) -> None:
    sent, mended = (weighted_job(tmp_path, data).read_table(FileOptions(), False) for data in (CASES, CASES.replace("0.31", "1.4")))
    answers = [msgspec.json.decode(one.body)["answers"] for one in sent]
    assert [one.get("Weight") for one in answers] == ["0.2991", "0.6687", "3.344", None, None]
    assert msgspec.json.decode(mended[0].body)["answers"]["Weight"] == "1.495"
    assert [one.receipt for one in sent] == [one.receipt for one in mended]


@pytest.mark.parametrize(
    ("weights", "said", "sent", "reasons"),
    [
        (["1,234", "2,500", "950"], "", ["1483"], ["w: '1,234' can mean", "w: '2,500' can mean"]),
        (["1,234.5", "2,500", "950"], "", ["1483", "1483", "1483"], []),
        (["1,234", "2,500"], ', numbers: {decimal: ".", thousands: ","}', ["1483", "1483"], []),
        (["1.234,5", "900", "0,7"], "", ["1483", "1483", "1.011"], []),
        (["", "NA", "-1"], "", [None], ["w: 'NA' is no answer by its looks: declare it", "w: -1 is no weight from 0.3 to 5000"]),
        (["", "NA", "1"], ", missing: [NA]", [None, None, "1.011"], []),
    ],
)
def test_weights_of_three_rows_with_thousands_or_missing_are_read_or_refused(
    tmp_path: Path, weights: list[str], said: str, sent: list[str | None], reasons: list[str]
) -> None:
    found = author.read(WEIGHTED.replace("0.2, greatest: 5", "0.3, greatest: 5000"), "again.yaml", lambda name: "")
    assert isinstance(found, Instrument)
    data = "Dog,w\n" + "".join(f'no,"{weight}"\n' for weight in weights)
    read = job(tmp_path, data, HEAD + f'  "Dog": {{question: S1}}\nweight: {{column: w{said}}}\n', found)
    assert [msgspec.json.decode(one.body)["answers"].get("Weight") for one in read.read_table(FileOptions(), dry_run=True)] == sent
    assert [why[: len(reason)] for (_, (why,)), reason in zip(read.refused.values(), reasons, strict=True)] == reasons


@pytest.mark.parametrize(
    ("map_text", "message"),
    [
        (WEIGHTS.replace("column: w", "column: v"), "under weight, which the file does not have"),
        (WEIGHTS.replace("column: w", "column: Dog"), "to a question and names it under weight"),
        (WEIGHTS.replace("{question: S1}", "{question: Weight}"), "is no question of again"),
    ],
)
def test_a_map_whose_weight_does_not_fit_is_a_sentence(tmp_path: Path, map_text: str, message: str) -> None:
    with pytest.raises(UnfitHeader, match=message):
        weighted_job(tmp_path, CASES, map_text).read_table(FileOptions(), True)


def test_weights_for_a_questionnaire_that_takes_none_are_refused_and_missing_ones_told(tmp_path: Path) -> None:
    with pytest.raises(UnfitHeader, match="takes none: say case_weight in the questionnaire"):
        job(tmp_path, CASES, WEIGHTS).read_table(FileOptions(), True)
    some = weighted_job(tmp_path, CASES)
    some.read_table(FileOptions(), False)
    assert list(some.undeclared()) == ["w: 2 rows have no weight: in no weighted figure."]
    bare = weighted_job(tmp_path, CASES, HEAD + '  "Dog": {question: S1}\nignored: {w: later}\n')
    bare.read_table(FileOptions(), False)
    assert any("names no column under weight" in sentence for sentence in bare.undeclared())
