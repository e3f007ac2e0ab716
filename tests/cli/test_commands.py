"""The commands against a whole stack, as an organiser types them."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import datetime
import html
import json
import os
import re
import secrets
import select
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import nats
import openpyxl
import pytest

from proto import subjects
from proto.registry import GRACE
from tests.faults.inside import Inside
from tests.faults.operated import Operated

ROOT = Path(__file__).resolve().parents[2]


def exact(stack: Operated, survey: str) -> dict[str, Any]:
    """The exact view once everything accepted is in it: recount waits for nothing, so we do."""
    stack.platea("recount", survey)
    return stack.exact(survey)


def settled(stack: Operated, survey: str, responses: int) -> dict[str, Any]:
    for _ in range(200):
        view = exact(stack, survey)
        if view["responses"] >= responses:
            return view
    raise AssertionError(view["responses"])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data collected elsewhere: a library's visitors, with labels, a group of columns, numbers and remarks."""
    random = Random(11)
    path = tmp_path_factory.mktemp("library") / "library.csv"
    topics = ["Novels", "Maps, old and new", "Films"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["How often", "Topic_1", "Topic_2", "Topic_3", "Age", "Remark"])
        for _ in range(120):
            often = random.choice(["Every week", "Every month", "Rarely - if at all", ""])
            chosen = [topic if random.random() < 0.5 else "" for topic in topics]
            remark = f'It was "{random.choice(["fine", "loud"])}",\nthey said {random.random()}'
            writer.writerow([often, *chosen, random.randint(6, 99), remark if random.random() < 0.5 else ""])
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_data_from_elsewhere_are_drafted_published_and_imported_once(stack: Operated, library: Path, tmp_path: Path) -> None:
    both = tmp_path / "library.yaml"
    both.write_text(stack.platea("survey", "draft", str(library)).stdout, encoding="utf-8")
    assert "is sound" in stack.platea("survey", "check", str(both)).stdout
    refused = stack.platea("survey", "publish", str(both), check=False)
    assert refused.returncode == 1
    assert "guesses that nobody has judged (line " in refused.stderr
    first = stack.platea("survey", "publish", str(both), "--reviewed").stdout
    judged = tmp_path / "judged.yaml"
    judged.write_text(re.sub("# review:.*", "", both.read_text(encoding="utf-8")), encoding="utf-8")
    assert first == stack.platea("survey", "publish", str(judged)).stdout
    assert f"{stack.url}/s/library" in first

    order = ("import", "library", str(library), "--map", str(both), "--key", str(tmp_path / "key"))
    shown = stack.platea(*order, "--dry-run").stdout
    assert shown.startswith("library.csv: 120 rows, UTF-8, comma, 1 header row\n")
    assert re.search(r"How often +single How_often +every_(week|month) \d+, ", shown)
    assert re.search(r"Topic_1 to Topic_3 +multiple Topic +", shown)
    assert re.search(r"Age +integer Age +6 to 99, median \d+", shown)
    assert shown.endswith("Would import 120, refuse 0. Nothing was sent.\n")
    assert exact(stack, "library")["responses"] == 0
    assert stack.platea(*order).stdout.startswith("120 imported, 0 there before, 0 refused.")
    assert stack.platea(*order).stdout.startswith("0 imported, 120 there before, 0 refused.")
    more = tmp_path / "more.csv"
    with library.open(encoding="utf-8") as file:
        last = file.readlines()[-1]
    more.write_text(library.read_text(encoding="utf-8") + last, encoding="utf-8")
    shown = stack.platea("import", "library", str(more), *order[3:], "--dry-run").stdout
    assert shown.endswith("Would import 121, refuse 0. Nothing was sent. Of these rows 120 were there before.\n")

    data = rows_of(library)
    questions = settled(stack, "library", 120)["questions"]
    often = Counter(row["How often"] for row in data if row["How often"])
    assert {code: cell["n"] for code, cell in questions["How_often"]["cells"].items()} == {
        "every_week": often["Every week"],
        "every_month": often["Every month"],
        "rarely": often["Rarely - if at all"],
    }
    topics = [sum(bool(row[f"Topic_{i}"]) for row in data) for i in (1, 2, 3)]
    assert [cell["n"] for cell in questions["Topic"]["cells"].values()] == topics
    ages = [int(row["Age"]) for row in data]
    assert questions["Age"]["sum"] == sum(ages)
    assert questions["Age"]["mean"] == pytest.approx(sum(ages) / len(ages), rel=1e-12)


MARKET: dict[str, list[list[Any]]] = {
    "survey": [
        ["type", "name", "label::English (en)", "label::Français (fr)", "required", "relevant", "constraint", "choice_filter"],
        ["start", "begun", None, None, None, None, None, None],
        ["note", "welcome", "A few questions on the market.", "Quelques questions sur le marché.", None, None, None, None],
        ["begin group", "visit", "Your visit", "Votre visite", None, None, None, None],
        ["select_one part", "part", "Which part?", "Quelle partie ?", "yes", None, None, None],
        ["select_one stall", "stall", "Which stall?", "Quel étal ?", "yes", None, None, "of=${part}"],
        ["select_multiple bought", "bought", "What did you buy?", "Qu’avez-vous acheté ?", None, None, None, None],
        ["text", "bought_other", "What else?", "Quoi d’autre ?", None, "selected(${bought}, 'other')", None, None],
        ["integer", "spent", "How many euros?", "Combien d’euros ?", None, "${part} = 'hall'", ". >= 0 and . <= 500", None],
        ["geopoint", "where", "Where are you?", "Où êtes-vous ?", None, None, None, None],
        ["end group", None, None, None, None, None, None, None],
        ["text", "remarks", "Anything else?", "Autre chose ?", None, None, None, None],
    ],
    "choices": [
        ["list_name", "name", "label::English (en)", "label::Français (fr)", "of"],
        ["part", "hall", "The hall", "La halle", None],
        ["part", "square", "The square", "La place", None],
        ["stall", "fish", "Fish", "Poisson", "hall"],
        ["stall", "bread", "Bread", "Pain", "hall"],
        ["stall", "flowers", "Flowers", "Fleurs", "square"],
        ["stall", "fruit", "Fruit", "Fruits", "square"],
        ["bought", "food", "Food", "À manger", None],
        ["bought", "plants", "Plants", "Des plantes", None],
        ["bought", "other", "Something else", "Autre chose", None],
    ],
    "settings": [["form_title", "form_id", "version", "default_language"], ["Market visitors", "market_visitors", "3", "English (en)"]],
}


def test_a_form_of_another_tool_has_live_figures_within_two_minutes(stack: Operated, tmp_path: Path) -> None:
    """Each command tells the next; the figures on the page are those of the imported questions, and count what was sent."""
    book = openpyxl.Workbook()
    for name, lines in MARKET.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    del book["Sheet"]
    form, survey = tmp_path / "market.xlsx", tmp_path / "survey.yaml"
    book.save(form)
    begun = time.monotonic()

    brought = stack.platea("survey", "import", str(form), check=False)
    assert brought.returncode == 1, "there are guesses to judge, and one question is refused"
    assert "market.xlsx:survey!A10: where asks for a place" in brought.stderr
    *_, then, counts = brought.stderr.splitlines()
    assert counts == "7 questions: 5 whole, 1 changed, 1 refused; 1 rule: 1; 6 to review."
    assert re.findall("`(.+?)`", then)[1:] == ["platea survey check survey.yaml", "platea survey publish survey.yaml --reviewed"]
    survey.write_text(brought.stdout, encoding="utf-8")

    assert "6 marks `# review:` stand in the file" in " ".join(stack.platea("survey", "check", str(survey)).stdout.split())
    assert "6 guesses that nobody has judged" in stack.platea("survey", "publish", str(survey), check=False).stderr
    opened = stack.platea("survey", "publish", str(survey), "--reviewed").stdout.splitlines()
    live = f"{stack.url}/live/market-visitors"
    assert opened == [
        f"market-visitors 0.1.0 is open at {stack.url}/s/market-visitors",
        f"Its figures: {live}, once 10 people have answered.",
    ]
    assert (
        stack.platea("simulate", "market-visitors", "--responses", "60", "--seed", "7").stdout.splitlines()[-1] == f"Live figures: {live}"
    )
    page = _until(live, "60 answers")
    took = time.monotonic() - begun

    assert "Which part?" in page
    assert "Where are you?" not in page
    assert "Quelle partie ?" in _until(f"{live}?lang=fr", "60 réponses")
    questions = settled(stack, "market-visitors", 60)["questions"]
    parts, stalls = ({code: cell["n"] for code, cell in questions[name]["cells"].items()} for name in ("Part", "Stall"))
    assert sum(parts.values()) == 60
    assert stalls["fish"] + stalls["bread"] == parts["hall"], "nobody was offered a stall of the other part"
    assert stalls["flowers"] + stalls["fruit"] == parts["square"]
    assert questions["Spent"]["answered"] <= parts["hall"]
    assert took < 120


def _until(page: str, words: str) -> str:
    """The page, once it has these words."""
    for _ in range(300):
        with urllib.request.urlopen(page, timeout=60) as answer:
            text = html.unescape(answer.read().decode())
        if words in text:
            return text
        time.sleep(0.2)
    raise AssertionError(text)


def test_broken_rows_go_to_the_rejects_with_their_reasons_and_the_rest_is_imported(stack: Operated, tmp_path: Path) -> None:
    simple = tmp_path / "simple.yaml"
    simple.write_text(
        "format: platea-instrument/1\nid: simple\nversion: 1.0.0\nsource_language: en\nlanguages: [en]\ntitle: {en: Simple}\n"
        "sections: [{id: A, text: {en: A}}]\nquestions:\n"
        "  - {id: Q1, var: q1, section: A, type: single, required: true, text: {en: One}, privacy: {role: insensitive}, stats: [count],\n"
        '     options: [{code: "a", en: A}, {code: "b", en: B}]}\n'
        "  - {id: Q2, var: q2, section: A, type: integer, text: {en: Two}, min: 0, max: 9, privacy: {role: insensitive}, stats: [count]}\n"
    )
    stack.platea("survey", "publish", str(simple))
    data = tmp_path / "data.csv"
    data.write_bytes(b'Q1,Q2\na,1\na,1\nc,2\nb,99\nb,many\nb\n,3\nb,"4\nb,\xff\nb,5\n')
    done = stack.platea("import", "simple", str(data), check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("3 imported, 0 there before, 7 refused.")
    rejects = rows_of(tmp_path / "data.csv.rejects.csv")
    assert [row["import_line"] for row in rejects] == ["4", "5", "6", "7", "8", "9", "10"]
    assert all(row["import_reasons"] for row in rejects)
    assert settled(stack, "simple", 3)["questions"]["Q1"]["cells"]["a"]["n"] == 2  # equal rows are two people

    mended = (tmp_path / "data.csv.rejects.csv").read_text().replace("c,2", "a,2")
    (tmp_path / "mended.csv").write_text(mended)
    done = stack.platea("import", "simple", str(tmp_path / "mended.csv"), check=False)
    assert done.stdout.startswith("1 imported")

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Which", "How many", "Id"], ["Letter A", 3.0, "x"], ["Letter B", "1,500", "y"], ["Letter C", 4, "z"]):
        sheet.append(row)
    book.save(tmp_path / "data.xlsx")
    (tmp_path / "map.yaml").write_text(
        "format: platea-import/2\nsurvey: simple\nrows: {identity: [Id]}\ncolumns:\n"
        "  Which: {question: Q1, codes: {Letter A: a, Letter B: b}}\n  How many: {question: Q2}\n"
    )
    order = ("import", "simple", str(tmp_path / "data.xlsx"), "--map", str(tmp_path / "map.yaml"))
    shown = stack.platea(*order, "--dry-run", check=False)
    assert shown.returncode == 1
    assert "refused 1 × (line 3): '1,500' can mean 1500 or 1.5: say `numbers` in the map" in shown.stdout
    assert "'Letter C' has no code in the map; nearest: 'Letter" in shown.stdout
    assert shown.stdout.endswith("Would import 1, refuse 2. Nothing was sent. None of these rows was there before.\n")
    assert stack.platea(*order, check=False).stdout.startswith("1 imported, 0 there before, 2 refused.")
    rejects = rows_of(tmp_path / "data.xlsx.rejects.csv")
    assert [(row["import_line"], row["Which"], row["How many"]) for row in rejects] == [("3", "Letter B", "1,500"), ("4", "Letter C", "4")]
    mended = (tmp_path / "data.xlsx.rejects.csv").read_text().replace('"1,500"', "5").replace("Letter C", "Letter A")
    (tmp_path / "again.csv").write_text(mended)
    order = ("import", "simple", str(tmp_path / "again.csv"), "--map", str(tmp_path / "map.yaml"))
    assert stack.platea(*order).stdout.startswith("2 imported, 0 there before, 0 refused.")

    lines = tmp_path / "data.ndjson"
    lines.write_text(
        '{"answers":{"Q1":"a","Q2":7.0}}\n{"answers":{"Q1":"z"}}\nnonsense\n{"answers":{"Q1":"a"},"version":"0.0.1"}\n'
        '{"answers":{"Q1":"b"},"consent":false}\n{"answers":{"Q1":"a","Q1":"b"}}\n{"answers":{"Q1":"b"},"version":"1.0.0"}\n'
    )
    shown = stack.platea("import", "simple", str(lines), "--dry-run", check=False).stdout
    assert "refused       line 4: version 0.0.1: " in shown
    assert "This survey was never published in this version." in shown
    assert "Would import 2, refuse 5. Nothing was sent." in shown
    done = stack.platea("import", "simple", str(lines), check=False)
    assert (done.returncode, done.stdout) == (1, "2 imported, 0 there before, 5 refused.\n")
    rejects = [json.loads(line) for line in (tmp_path / "data.ndjson.rejects.ndjson").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [2, 3, 4, 5, 6]


def test_a_mended_map_replaces_what_it_brought_before(stack: Operated, library: Path, tmp_path: Path) -> None:
    (tmp_path / "l.yaml").write_text(stack.platea("survey", "draft", str(library)).stdout.replace(": library\n", ": library2\n"))
    stack.platea("survey", "publish", str(tmp_path / "l.yaml"), "--reviewed")
    order = ("import", "library2", str(library), "--map", str(tmp_path / "l.yaml"), "--key", str(tmp_path / "key"))
    stack.platea(*order)
    edited = (tmp_path / "l.yaml").read_text().replace('"Every week": "every_week"', '"Every week": "every_month"')
    (tmp_path / "l.yaml").write_text(edited)
    often = Counter(row["How often"] for row in rows_of(library))
    same, other = 120 - often["Every week"], often["Every week"]
    told = f"Of these rows {same} were there before; {other} were there before with other answers, refused unless --replace is said.\n"
    assert stack.platea(*order, "--dry-run").stdout.endswith(told)
    done = stack.platea(*order, "--rejects", str(tmp_path / "rejects.csv"), check=False)
    assert done.stdout.startswith(f"0 imported, {120 - often['Every week']} there before, {often['Every week']} refused.")
    done = stack.platea(*order, "--replace")
    assert f"{often['Every week']} replaced" in done.stdout
    for _ in range(100):
        cells = exact(stack, "library2")["questions"]["How_often"]["cells"]
        if cells["every_week"]["n"] == 0:
            break
    assert cells["every_month"]["n"] == often["Every month"] + often["Every week"]


def test_simulated_respondents_are_counted_released_and_checked(stack: Operated, tmp_path: Path) -> None:
    receipts = tmp_path / "receipts"
    done = stack.platea("simulate", "social-cohesion", "--responses", "300", "--seed", "5", "--receipts", str(receipts))
    assert done.stdout.startswith("300 responses accepted")
    assert len(set(receipts.read_text().splitlines())) == 300
    assert receipts.stat().st_mode & 0o777 == 0o600
    settled(stack, "social-cohesion", 300)
    done = stack.platea("recount", "social-cohesion")
    assert re.fullmatch(r"[\d,]+ figures of 300 responses: all equal\. 300 are stored\.\n", done.stdout)

    release = tmp_path / "release"
    done = stack.platea("release", "create", "social-cohesion", "--out", str(release))
    assert "Release 1 of social-cohesion" in done.stdout
    assert re.search(r"^1 +\S+ +public", stack.platea("release", "list", "social-cohesion").stdout, re.MULTILINE)
    stack.platea("release", "verify", str(release))
    with (release / "data.csv").open("a") as file:
        file.write("one more\n")
    done = stack.platea("release", "verify", str(release), check=False)
    assert done.returncode == 1
    assert "data.csv has" in done.stdout


def test_a_token_is_shown_once_opens_what_it_should_and_can_be_revoked(stack: Operated) -> None:
    secret = stack.platea("token", "create", "--role", "researcher", "--survey", "ai-security", "--days", "3").stdout
    assert re.fullmatch(r"platea_[0-9a-f]{8}_[\w-]{43}\n", secret)
    secret = secret.strip()
    listed = stack.platea("token", "list").stdout
    assert secret not in listed
    stack.platea("release", "list", "ai-security", "--token", secret)
    refused = stack.platea("recount", "ai-security", "--token", secret, check=False)
    assert refused.returncode == 1
    name = secret.split("_")[1]
    stack.platea("token", "revoke", name)
    refused = stack.platea("release", "list", "ai-security", "--token", secret, check=False)
    assert refused.returncode == 1
    assert re.search(rf"{name}\s+researcher\s+ai-security\s+revoked", stack.platea("token", "list").stdout)


def test_closing_ends_a_survey_and_a_new_version_opens_it(stack: Operated, tmp_path: Path) -> None:
    stack.platea("survey", "close", "security-by-design")
    assert re.search(r"security-by-design\s+\S+\s+closed", stack.platea("survey", "list").stdout)
    done = stack.platea("simulate", "security-by-design", "-n", "3", check=False)
    assert done.returncode == 1
    assert "no longer takes answers" in done.stderr
    newer = tmp_path / "newer.yaml"
    text = (ROOT / "proto/instruments/security-by-design.yaml").read_text()
    newer.write_text(re.sub(r"^version: .*$", 'version: "9.0.0"', text, count=1, flags=re.MULTILINE))
    assert "9.0.0 is open" in stack.platea("survey", "publish", str(newer)).stdout
    newer.write_text(newer.read_text().replace("en: ", "en: Changed. ", 1))
    done = stack.platea("survey", "publish", str(newer), check=False)
    assert done.returncode == 1
    assert "raise `version`" in done.stderr


SQUARE = """
format: platea-instrument/1
id: square
version: "0.1.0"
source_language: en
languages: [en]
title: {en: "Square"}
sections: [{id: A, text: {en: "A"}}]
questions:
  - {id: M1, var: reasons, section: A, type: multiple, text: {en: "Reasons"}, privacy: {role: insensitive}, stats: [count],
     options: [{code: work, en: "Work"}, {code: fun, en: "Fun"}, {code: health, en: "Health"}]}
  - {id: N1, var: number, section: A, type: integer, text: {en: "Number"}, privacy: {role: insensitive}, stats: [count], min: 0, max: 100,
     bands: ["0-9", "10-19", "20+"]}
policy: {name: cell-key, minimum: 3, batch: 1, clock: 0, i_understand_that_this_protects_nobody: true}
"""


def test_publishing_shows_what_earlier_answers_lose_and_asks(stack: Operated, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.yaml", "two.yaml", "three.yaml")]
    narrower = SQUARE.replace("0.1.0", "0.2.0").replace(', {code: health, en: "Health"}', "").replace("max: 100", "max: 15")
    for file, text in zip(files, (SQUARE, narrower, narrower.replace("0.2.0", "0.3.0").replace("Number", "How many")), strict=True):
        file.write_text(text)
    one, two, three = map(str, files)
    assert stack.platea("survey", "publish", one, "--dry-run").stdout == "square is a new survey.\nNothing was published.\n"
    stack.platea("survey", "publish", one)
    rows = [("health", 5), ("fun", 12), ("work;health", 15), ("work", 40), ("", 40)]
    answers = tmp_path / "answers.csv"
    answers.write_text("M1,N1\n" + "".join(f"{ticks},{number}\n" for ticks, number in rows))
    stack.platea("import", "square", str(answers))
    settled(stack, "square", 5)

    told = stack.platea("survey", "publish", two, "--dry-run", check=False)
    assert told.returncode == 1
    assert re.search(r"^M1\.health +option taken out +2 answers lost *$", told.stdout, re.MULTILINE)
    assert re.search(r"^N1 +at most 15, was 100 +2 to 4 answers lost *$", told.stdout, re.MULTILINE)
    assert "4 to 6 answers lost by these changes." in told.stdout
    refused = stack.platea("survey", "publish", two, check=False)
    assert (refused.returncode, "`--yes`" in refused.stderr) == (1, True), "nobody is asked where there is nobody"
    assert re.search(r"^square +0\.1\.0 ", stack.platea("survey", "list").stdout, re.MULTILINE)

    assert "square 0.2.0 is open" in stack.platea("survey", "publish", two, "--yes").stdout
    told = stack.platea("survey", "publish", two)
    assert told.stdout.splitlines()[0] == f"square 0.2.0 is open at {stack.url}/s/square", "harmless, and no question"
    stack.platea("recount", "square")
    questions = stack.exact("square")["questions"]
    assert {code: cell["n"] for code, cell in questions["M1"]["cells"].items()} == {"work": 2, "fun": 1}
    assert (questions["M1"]["answered"], questions["M1"]["missing"]) == (4, 1)
    assert (questions["N1"]["answered"], questions["N1"]["skipped"], questions["N1"]["missing"]) == (3, 2, 0)

    shown = stack.platea("survey", "publish", three).stdout
    assert "No earlier answer is lost." in shown
    assert "square 0.3.0 is open" in shown
    back = stack.platea("survey", "publish", one).stdout
    assert "square 0.1.0 was published before, and nothing has changed: the current version is 0.3.0, open" in back
    files[0].write_text(SQUARE.replace("0.1.0", "0.2.5"))
    lower = stack.platea("survey", "publish", one, "--yes", check=False)
    assert lower.returncode == 1
    assert "0.2.5 is not higher than 0.3.0." in lower.stdout + lower.stderr


def test_two_files_are_compared_without_a_server(stack: Operated, tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(SQUARE)
    two.write_text(SQUARE.replace("0.1.0", "0.2.0").replace("type: multiple", "type: single"))
    nowhere = ("--help",)
    assert "Needs no server" in stack.platea("survey", "diff", *nowhere).stdout
    told = stack.platea("survey", "diff", str(one), str(two), check=False)
    assert told.returncode == 1
    assert "Refused: M1 was a question of type multiple: a changed meaning needs a new id." in told.stdout
    assert stack.platea("survey", "diff", str(one), str(one)).stdout == "Both are the same.\n"


def test_the_doctor_finds_nothing_wrong_with_a_healthy_stack(stack: Operated) -> None:
    done = stack.platea("doctor", "--data", str(stack.data), check=False)
    assert done.returncode == 0, done.stdout
    for thing in ("intake", "analysis", "export", "NATS", "PostgreSQL", "journal on disk", "store on disk", "disk", "lag", "platea"):
        assert re.search(rf"^{thing}\s+ok", done.stdout, re.MULTILINE), done.stdout


def test_the_doctor_looks_at_the_server_that_was_named_and_not_at_a_stack_that_rests_nearby(stack: Operated, tmp_path: Path) -> None:
    nearby = tmp_path / "var"
    nearby.mkdir()
    for name in ("organiser.token", "lock"):
        (nearby / name).touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
    line = [sys.executable, "-m", "deploy.cli", "doctor"]
    where: dict[str, Any] = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
    named = subprocess.run(line, env=environment | {"PLATEA_URL": stack.url, "PYTHONPATH": str(ROOT)}, **where)
    assert named.returncode == 0, named.stdout
    assert not re.search(r"^stack", named.stdout, re.MULTILINE), named.stdout
    unnamed = subprocess.run(line, env=environment | {"PYTHONPATH": str(ROOT)}, **where)
    assert unnamed.returncode == 1
    assert f"nothing runs in {nearby}" in " ".join(unnamed.stdout.split()), unnamed.stdout


def test_a_command_beside_a_stack_finds_server_and_token_by_itself(stack: Operated) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
    line = [sys.executable, "-m", "deploy.cli", "token", "list", "--data", str(stack.data)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "organiser" in done.stdout


SHORTHAND = {"token revoke": "TOKEN", "release list": "ID"}
"""What the README's table leaves out after the first command of a group."""


def readme_commands() -> list[str]:
    found: list[str] = []
    for row in re.findall(r"^\| (`platea .*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", row)
        group = first.split()[1]
        for command in (first.removeprefix("platea "), *(f"{group} {other}" for other in others)):
            found.append(f"{command} {SHORTHAND[command]}" if command in SHORTHAND else command)
    return [command for command in found if command != "up"]


def test_every_command_of_the_readme_works_as_written(stack: Operated, library: Path, tmp_path: Path) -> None:
    stack.platea("simulate", "social-cohesion", "-n", "50")
    survey = ROOT / "proto" / "instruments" / "social-cohesion.yaml"
    lines = tmp_path / "answers.ndjson"
    lines.write_text("")
    token = stack.platea("token", "create", "--role", "researcher").stdout.split("_")[1]
    stack.platea("release", "create", "social-cohesion", "--out", str(tmp_path / "release"))
    for command in readme_commands():
        words = {"ID": "social-cohesion", "N": "20", "ROLE": "researcher", "TOKEN": token, "DIR": str(tmp_path / "release")}
        words |= {
            "CODES.csv": str(tmp_path / "codes.csv"),
            "TEXTS.csv": str(tmp_path / "texts.csv"),
            "DATE": "2099-12-31",
            "OLD": str(survey),
            "NEW": str(survey),
            "FILE.csv": str(library),
            "FILE": str(lines if command.startswith("import") else tmp_path / "code.svg" if command.startswith("survey qr") else survey),
        }
        endless = ["--once"] if command.startswith("watch") else []
        agreed = ["--yes"] if command.startswith("retention") else []
        stack.platea(*(words.get(word, word) for word in command.split()), *endless, *agreed)
        if command.startswith("survey close"):
            newer = tmp_path / "again.yaml"
            changed = 'version: "8.0.0"\nparticipation: invited'
            newer.write_text(re.sub(r"^version: .*$", changed, survey.read_text(), count=1, flags=re.MULTILINE))
            stack.platea("survey", "publish", str(newer))


def test_free_texts_are_reviewed_at_a_terminal_and_by_sheet(stack: Operated, tmp_path: Path) -> None:
    before = json.loads(stack.platea("release", "review", "library", "--json").stdout)
    assert before["open"] == before["given"] > 10
    environment = {**os.environ, "PLATEA_URL": stack.url, "PLATEA_TOKEN": stack.token, "TERM": "xterm", "COLUMNS": "100"}
    ours, theirs = os.openpty()
    line = [sys.executable, "-m", "deploy.cli", "release", "review", "library"]
    with subprocess.Popen(line, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as sitting:
        os.close(theirs)
        screen = b""
        for key in (b"a", b"r", b"s", b"q"):
            wanted = screen.count(b"[q]uit") + 1
            while screen.count(b"[q]uit") < wanted:
                assert select.select([ours], [], [], 60)[0], screen
                screen += os.read(ours, 65536)
            os.write(ours, key)
        sitting.wait(60)
    os.set_blocking(ours, False)
    with contextlib.suppress(OSError):  # nothing more is there
        while piece := os.read(ours, 65536):
            screen += piece
    os.close(ours)
    assert sitting.returncode == 0
    assert f"1 accepted, 1 refused. {before['open'] - 2} of {before['given']} texts" in screen.decode()

    sheet = tmp_path / "texts.csv"
    stack.platea("release", "review", "library", "--export", str(sheet))
    assert sheet.stat().st_mode & 0o777 == 0o600
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == before["open"] - 2, "what was decided on is not asked again"
    assert "they said" in rows[0]["text"]
    assert "there already" in stack.platea("release", "review", "library", "--export", str(sheet), check=False).stderr
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"decision": "accept"} for row in rows[:5]] + [rows[5] | {"text_id": "0" * 32, "decision": "refuse"}])
    said = stack.platea("release", "review", "library", "--import", str(sheet)).stdout
    assert said.startswith("5 accepted, 0 refused, 0 opened again.\n1 of the texts were changed or withdrawn")
    after = json.loads(stack.platea("release", "review", "library", "--json").stdout)["questions"][0]
    assert (after["accepted"], after["refused"], after["open"]) == (6, 1, before["open"] - 7)
    logs = "".join(path.read_text(errors="replace") for path in (stack.data / "logs").iterdir() if path.is_file())
    assert "they said" not in logs


def test_nothing_is_deleted_without_its_count_and_a_confirmation(stack: Operated) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    first = (today + datetime.timedelta(GRACE)).isoformat()
    count = stack.exact("library")["responses"]
    past = stack.platea("retention", "library", "--delete-on", (today - datetime.timedelta(1)).isoformat(), "--yes", check=False)
    assert past.returncode == 1
    assert "has passed" in past.stderr
    asked = stack.platea("retention", "library", "--delete-on", today.isoformat(), check=False)
    assert asked.returncode == 1
    assert f"{count} answers to library will be deleted for good" in asked.stderr
    assert first in asked.stderr
    assert "no day is set" in stack.platea("retention", "library").stdout, "nobody typed its name"
    stack.platea("retention", "library", "--delete-on", today.isoformat(), "--yes")
    closing = stack.platea("survey", "close", "library", check=False)
    assert closing.returncode == 1
    assert f"{count} answers to library will be deleted for good from {first} on" in closing.stderr
    assert "`platea survey reopen library` keeps them" in stack.platea("survey", "close", "library", "--yes").stdout
    assert "is open at" in stack.platea("survey", "reopen", "library").stdout
    assert "are kept" in stack.platea("retention", "library", "--never").stdout
    assert stack.platea("survey", "close", "library").stdout.strip() == "library is closed.", (
        "closing alone deletes nothing and asks nothing"
    )
    stack.platea("survey", "reopen", "library")


def test_answers_are_deleted_when_their_time_is_over_and_figures_stay(stack: Operated) -> None:
    assert "no day is set" in stack.platea("retention", "library").stdout
    before = stack.exact("library")
    asyncio.run(Inside(stack).end("library"))
    assert "are deleted;" in stack.platea("retention", "library").stdout
    assert "nothing brings them back" in stack.platea("retention", "library", "--never", check=False).stderr
    for _ in range(100):
        counted = stack.platea("recount", "library").stdout
        if "were deleted on" in counted and json.loads(stack.platea("release", "review", "library", "--json").stdout)["given"] == 0:
            break
    assert f"of {before['responses']:,} responses, stand as they were then" in counted
    stack.kill("analysis")
    stack.child("analysis")
    for _ in range(100):
        if stack.platea("recount", "library", check=False).returncode == 0:
            break
    assert stack.exact("library")["questions"] == before["questions"]
    assert "were deleted on" in stack.platea("release", "create", "library", check=False).stderr


async def test_an_answer_that_cannot_be_read_is_listed_read_again_and_given_up(stack: Operated) -> None:
    async def scrawl() -> None:
        client = await nats.connect(Inside(stack).journal(), inbox_prefix="_INBOX.intake")
        await client.jetstream().publish(subjects.response("ai-security", secrets.token_hex(16)), b"of somebody")
        await client.close()

    began = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert "could be read" in stack.platea("parked", "list").stdout
    await scrawl()
    listed = ""
    for _ in range(300):
        listed = stack.platea("parked", "list").stdout
        if "1 parked, 0 waiting." in listed:
            break
    assert "ai-security" in listed
    assert began in listed or datetime.datetime.now(datetime.UTC).date().isoformat() in listed
    assert "somebody" not in listed
    advised = stack.platea("doctor", check=False)
    assert (advised.returncode, "platea parked list" in advised.stdout) == (1, True)
    again = stack.platea("parked", "retry", check=False)
    assert (again.returncode, again.stdout) == (1, "0 of 1 events are recorded; 1 cannot be read and stay parked.\n")
    for refused in (["drop"], ["drop", "--yes"], ["drop", "--count", "2", "--yes"]):
        assert stack.platea("parked", *refused, check=False).returncode > 0
    assert "1 parked" in stack.platea("parked", "list").stdout
    assert stack.platea("parked", "drop", "--count", "1", "--yes").stdout == "1 events are erased from the journal.\n"
    assert "could be read" in stack.platea("parked", "list").stdout
