"""`python -m tests.attacks.over_http`: the attacker of the simulations over HTTP against a whole stack; writes docs/attacks-over-http.md.

Without --url it starts a stack of its own, as `make up` does, in a temporary folder, and ends it. With --url it publishes three surveys
there, for which it needs an organiser's token (PLATEA_TOKEN); the attacker uses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from deploy.cli.bulk_sender import BulkSubmission, Sender
from deploy.cli.server import Server
from proto import instrument as i
from proto.instrument import Instrument, Policy
from proto.receipt import make
from proto.snapshot import Snapshot
from tests.attacks import questionnaire
from tests.attacks.attacks import READERS, Attack, Trial, outcome
from tests.attacks.campaign import AROUND, STANDING, TRIAL, Attacker, Diary, Strategy
from tests.attacks.judge import People, guessed, judged
from tests.attacks.observer import Observer
from tests.attacks.population import Ints, Population
from tests.attacks.report import signed
from tests.faults.operated import Operated

PAGE = Path(__file__).parents[2] / "docs" / "attacks-over-http.md"
SEED = 20261130
LONG = 10.0
"""Seconds after which figures that have not moved are not expected to."""
LAW = Attack("The law alone, without any figures", "any answer", READERS[0].play, ("law",))
USUAL = Policy()
UNPROTECTED = Policy(minimum=1, batch=1, clock=0.0, i_understand_that_this_protects_nobody=True)


@dataclass(frozen=True)
class Case:
    """The same people, and the same attacker, in a survey of this policy. `apart`: whether each victim is read from what was published
    between the one before and the one after, where that is plenty; else from everything."""

    strategy: Strategy
    policy: Policy
    name: str
    apart: bool = False


CASES = (
    Case(AROUND, USUAL, "the usual policy"),
    Case(STANDING, USUAL, "the usual policy"),
    Case(TRIAL, UNPROTECTED, "a trial that protects nobody", apart=True),
)


@dataclass(frozen=True)
class Campaign:
    """What came of a case. `diary` is the attacker's, `trials` are the judge's, by victim; `final`: the best guess from what was
    published last, own answers taken off, by victim. `reads`: GET requests for figures."""

    case: Case
    people: int
    diary: Diary
    reads: int
    seconds: float
    trials: list[Trial]
    final: list[float]


async def campaigns(url: str, token: str, cases: Sequence[Case], people: Sequence[People], own: Sequence[Ints]) -> list[Campaign]:
    """All cases side by side, each in a survey of its own."""
    played = await asyncio.gather(*(play(url, token, *each) for each in zip(cases, people, own, strict=True)))
    found = list[Campaign]()
    for case, who, mine, (diary, reads, seconds) in zip(cases, people, own, played, strict=True):
        trials = [judged(who, diary.moments, mine, victim, apart=case.apart) for victim in range(len(who.victims))]
        found.append(Campaign(case, len(who.crowd), diary, reads, seconds, trials, guessed(who, diary.moments[-1], mine)))
    return found


async def play(url: str, token: str, case: Case, people: People, own: Ints) -> tuple[Diary, int, float]:
    """Publishes a survey, lets the crowd answer, and attacks. Also how much was read, and in how many seconds."""
    blocks, survey = people.population.blocks, f"attacked-{secrets.token_hex(4)}"
    publish(url, token, questionnaire.questionnaire(survey, blocks, case.policy))
    await answered(url, survey, [questionnaire.body(blocks, one) for one in people.crowd])
    begun = time.monotonic()
    async with Observer(url, survey, (0, blocks.questions)) as observer:
        await settled(observer, len(people.crowd), case.policy.batch)
        diary = await Attacker(url, survey, blocks, own, case.strategy, observer).attack(len(people.crowd), people.victims, len(own))
        return diary, observer.reads, time.monotonic() - begun


def publish(url: str, token: str, instrument: Instrument) -> None:
    Server(url, token, None).ask("POST", "/api/v1/surveys", i.encode(instrument))


async def answered(url: str, survey: str, bodies: Sequence[bytes]) -> None:
    """All of these answer."""
    async with Sender(url, survey, at_once=8) as sender:
        submissions = (BulkSubmission(place, make(), body) for place, body in enumerate(bodies))
        refused = [reply.status async for reply in sender.send_all(submissions) if not reply.accepted]
    assert not refused, refused


async def settled(observer: Observer, people: int, batch: int = 1, seconds: float = LONG) -> Snapshot:
    """What is published once figures have moved as far as they will: they are of all but fewer than a batch, or stood for so long."""
    seen, since = await observer.figures(), time.monotonic()
    while seen is None or (seen.responses <= people - batch and time.monotonic() - since < seconds):
        await asyncio.sleep(0.2)
        shown = await observer.figures()
        if shown != seen:
            seen, since = shown, time.monotonic()
    return seen


@contextlib.contextmanager
def stack(url: str | None, token: str | None) -> Generator[tuple[str, str]]:
    """The address and an organiser's token of the stack to attack."""
    if url is not None:
        if not token:
            raise click.UsageError("Surveys are published with an organiser's token: set PLATEA_TOKEN.")
        yield url, token
        return
    with tempfile.TemporaryDirectory() as folder, Operated(Path(folder)) as operated:
        yield operated.url, operated.token


TOLD = """\
The attacker of [attacks](attacks.md), not against the engine but against a whole stack, as `make up` starts it, and through the same door
as everybody: three surveys are published, respondents answer them over HTTP, victims come one by one, and the attacker has half of his
requests for a victim before and half after it. He has no token. Victims make the survey grow as well: after some of them an edition comes
without him. After each request he reads everything public: the figures as JSON and as CSV, a table of two answers as JSON and as CSV, and
the live stream; where tables have moved, all tables of two answers.

The questionnaire is not a bundled one but that of the simulations: {questions} single choices of 2 to 8 options and {strata} strata,
answered by the same latent class model. So the attacker knows the law by which people answer, which nobody knows of a real survey; its
{blocks} blocks are as many as tables may have without more noise (the bundled questionnaire on artificial intelligence has 244, and four
times the noise); and what he reaches can be held against the simulation of the same setting. Readings are those of the simulations:
single counts (A), all tables jointly (J), both (adaptive), and both started half at the truth, where nobody can start. He takes tables
from what is shown: rows and columns of fewer than ten are withheld, and he works them out from what everything adds up to, where he can.

*Chance* is the best guess from the exact answers of everybody, and what is left of it with the last published figures. Columns of
readings say by how much they are above the former, with a 95 % interval over victims; where a reading has several forms, the best
counts, in his favour. Some of it comes from the law and the one stratum of a victim that he knows, without any figures. All victims of a
survey share its noise, its crowd and its law, so they are not independent, and the intervals are narrower than they should be; the
simulations draw a new survey for each victim."""


def head(population: Population) -> list[str]:
    blocks = population.blocks
    told = TOLD.format(questions=blocks.questions, strata=blocks.strata, blocks=len(blocks.sizes))
    return ["# Attacks over HTTP", "", "Written by `python -m tests.attacks.over_http`.", "", *told.splitlines(), ""]


def text(found: Sequence[Campaign], population: Population) -> str:
    """The page."""
    return "\n".join([*head(population), *traffic(found), "", *reached(found), "", *(sentence(one) for one in found)]) + "\n"


def traffic(found: Sequence[Campaign]) -> list[str]:
    lines = [
        "| survey | own answers are | respondents before | victims | requests | held back as a flood, waited | reads | minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        diary = one.diary
        lines.append(
            f"| {one.case.name} | {one.case.strategy.name} | {one.people} | {len(one.trials)} | {diary.requests:,} "
            f"| {diary.refused}, {diary.waited:.0f} s | {one.reads:,} | {one.seconds / 60:.0f} |"
        )
    return lines


def reached(found: Sequence[Campaign]) -> list[str]:
    readings = (LAW, *READERS)
    readers = " | ".join(attack.name for attack in readings)
    lines = [
        f"| survey | own answers are | editions seen of singles / of tables | chance: exact / published | {readers} |",
        "|---|---|---|---|" + "---|" * len(readings),
    ]
    for one in found:
        told = [outcome(attack, one.trials) for attack in readings]
        lines.append(
            f"| {one.case.name} | {one.case.strategy.name} | {len(one.diary.moments)} / {one.diary.of_tables} "
            f"| {told[0].guess:.0%} / {np.mean(one.final):.0%} | {' | '.join(signed(each) for each in told)} |"
        )
    return lines


def sentence(one: Campaign) -> str:
    diary = one.diary
    return (
        f"- {one.case.name.capitalize()}, own answers {one.case.strategy.name}: of {diary.looks:,} readings {diary.changes:,} found "
        f"anything changed; {len(diary.unlike)} times one format said otherwise than another; {diary.missed} editions were missed, or "
        f"could not be placed."
    )


@click.command()
@click.option("--url", help="A running Platea.  [default: one of its own]")
@click.option("--victims", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--requests", type=click.IntRange(min=20), default=1000, show_default=True, help="Of sending, changing and withdrawing.")
@click.option("--people", type=click.IntRange(min=40), default=300, show_default=True, help="Respondents before the attack.")
@click.option("--control-victims", type=click.IntRange(min=2), default=6, show_default=True, help="Where nobody is protected.")
@click.option("--page/--no-page", default=True, help="Write docs/attacks-over-http.md.")
def main(url: str | None, victims: int, requests: int, people: int, control_victims: int, page: bool) -> None:
    """Attack a whole stack over HTTP, and say what that reached."""
    draw = np.random.default_rng(SEED)
    population = Population(draw)
    everybody = People(population, population.answers(draw, people), population.answers(draw, victims))
    counts = [min(control_victims, victims) if case.apart else victims for case in CASES]
    some = [replace(everybody, victims=everybody.victims[:count]) for count in counts]
    own = [population.answers(draw, requests * count // victims) for count in counts]
    with stack(url, os.environ.get("PLATEA_TOKEN")) as (address, token):
        found = asyncio.run(campaigns(address, token, CASES, some, own))
    click.echo(told := text(found, population))
    if page:
        PAGE.write_text(told, "utf-8")


if __name__ == "__main__":
    main()
