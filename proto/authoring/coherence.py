"""What must hold across a questionnaire: ids once, rules backwards, hierarchies complete, statistics that fit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Any

from proto import instrument as resolved
from proto.authoring import form
from proto.authoring.faults import Faults, Path
from proto.authoring.reach import can_hold
from proto.authoring.shape import nearest
from proto.instrument import NON_SUBSTANTIVE, Band, Instrument, Rule, Stat

_EVERYWHERE: frozenset[Stat] = frozenset({"count", "none"})
_SCALE: frozenset[Stat] = frozenset({"share", "distribution", "crosstab", "mean", "net_agreement"})
_NUMBER: frozenset[Stat] = frozenset({"distribution", "crosstab", "mean", "median"})
STATS: dict[type, frozenset[Stat]] = {
    resolved.Single: _EVERYWHERE | _SCALE,
    resolved.Multiple: _EVERYWHERE | {"share", "crosstab"},
    resolved.Matrix: _EVERYWHERE | _SCALE,
    resolved.Ranking: _EVERYWHERE | {"rank_score", "crosstab"},
    resolved.Integer: _EVERYWHERE | _NUMBER,
    resolved.Numeric: _EVERYWHERE | _NUMBER,
    resolved.Date: _EVERYWHERE | {"distribution", "crosstab", "median"},
    resolved.ShortText: _EVERYWHERE,
    resolved.LongText: _EVERYWHERE,
}
"""The live statistics that make sense for each type of question."""

OPERATIONS: dict[str, tuple[type, str]] = {
    "in": (resolved.Single, "single"),
    "not_in": (resolved.Single, "single"),
    "any_in": (resolved.Multiple, "multiple"),
    "any_row_in": (resolved.Matrix, "matrix"),
}

_HIERARCHY: dict[type, str] = {resolved.Single: "table", resolved.Integer: "bands", resolved.Numeric: "bands", resolved.Date: "date"}


def check(survey: form.Survey, instrument: Instrument, faults: Faults) -> None:
    """Adds to `faults` whatever the parts, each readable alone, get wrong together."""
    _Coherence(survey, instrument, faults).check()


class _Coherence:
    def __init__(self, survey: form.Survey, instrument: Instrument, faults: Faults) -> None:
        self.survey = survey
        self.instrument = instrument
        self.faults = faults
        self.pairs = list(zip(survey.questions, instrument.questions, strict=True))
        self.position = {question.id: index for index, question in reversed(list(enumerate(instrument.questions)))}
        self.enabled = {question.id: question.enabled for question in survey.questions}
        self.derived = {derived.id: derived for derived in instrument.derived}

    def check(self) -> None:
        self.languages()
        self.names()
        self.sections()
        for written, question in self.pairs:
            path = self.faults.place(written)
            self.choices(question, path)
            self.numbers(question, path)
            self.privacy(question, path)
            self.stats(question, path)
        self.hierarchies()
        self.rules()
        self.strata()
        self.headlines()

    def once(self, things: Iterable[tuple[str, Path]], what: str) -> None:
        first: dict[str, Path] = {}
        for name, path in things:
            if name in first and not self.faults.touched(path):
                self.faults.add(path, f"the {what} {name} is used twice", f"first in line {self.faults.line(first[name])}")
            first.setdefault(name, path)

    def languages(self) -> None:
        languages = self.survey.languages
        self.once(((language, ("languages", index)) for index, language in enumerate(languages)), "language")
        if self.survey.source_language not in languages:
            self.faults.add(("source_language",), f"{self.survey.source_language} is not among the languages", nearest(self.survey.source_language, list(languages)))
        minutes = self.survey.estimated_minutes
        if minutes and minutes[0] > minutes[1]:
            self.faults.add(("estimated_minutes",), "the shorter time comes first")

    def names(self) -> None:
        survey, place = self.survey, self.faults.place
        self.once(((each.id, (*place(each), "id")) for each in survey.sections), "section id")
        self.once(((each.id, (*place(each), "id")) for each in survey.questions), "question id")
        variables = [(each.var, (*place(each), "var")) for each in survey.questions]
        self.once([*variables, *((each.id, (*place(each), "id")) for each in survey.derived)], "variable")
        self.once(((each.id, (*place(each), "id")) for each in survey.soft_checks), "soft check")
        self.once(((each.id, (*place(each), "id")) for each in survey.headlines), "headline")
        self.once(((stratum, ("strata", index)) for index, stratum in enumerate(survey.strata)), "stratum")
        for name, options in survey.scales.items():
            self.once(((option.code, (*place(option), "code")) for option in options), f"code in scale {name}")
        for each in survey.derived:
            for value in each.labels:
                if value not in ("0", "1"):
                    self.faults.add((*place(each), "labels", value), f"{value} is not a value of a derived variable", 'only "1" (it holds) and "0" are')

    def sections(self) -> None:
        order = {section.id: index for index, section in enumerate(self.instrument.sections)}
        used: set[str] = set()
        reached = 0
        for written, question in self.pairs:
            path = (*self.faults.place(written), "section")
            used.add(question.section)
            if question.section not in order:
                self.faults.add(path, f"there is no section {question.section}", nearest(question.section, list(order)))
            elif order[question.section] < reached:
                self.faults.add(path, f"{question.id} belongs to section {question.section}, which is already over", "list the questions section by section")
            else:
                reached = order[question.section]
        for section in self.survey.sections:
            if section.id not in used and not self.faults.lost and not self.faults.touched(("questions",)):
                self.faults.add(self.faults.place(section), f"the section {section.id} has no question")

    def choices(self, question: Any, path: Path) -> None:
        if isinstance(question, resolved.Matrix):
            self.once(((row.code, (*path, "rows", index, "code")) for index, row in enumerate(question.rows)), f"row of {question.id}")
        if not isinstance(question, resolved.Closed) or not question.options:
            return
        number = len(question.options)
        self.once(((option.code, (*path, "options", index, "code")) for index, option in enumerate(question.options)), f"code in {question.id}")
        if isinstance(question, resolved.Multiple):
            if question.max_choices is not None and question.max_choices > number:
                self.faults.add((*path, "max_choices"), f"{question.max_choices} choices out of {number} options")
            if question.min_choices > (question.max_choices or number):
                self.faults.add((*path, "min_choices"), f"min_choices {question.min_choices} is more than can be chosen")
        elif any(option.exclusive for option in question.options):
            self.faults.add((*path, "options"), f"exclusive options have no meaning in {question.id}", "they belong to questions of type multiple")
        if isinstance(question, resolved.Ranking) and question.rank_count > number:
            self.faults.add((*path, "rank_count"), f"{question.rank_count} ranks for {number} options")

    def numbers(self, question: Any, path: Path) -> None:
        """Bounds in order, bands without gap or overlap from the smallest to the largest possible answer."""
        if self.unbounded(path):
            return
        match question:
            case resolved.Integer() | resolved.Numeric():
                if question.min > question.max:
                    self.faults.add((*path, "min"), f"the smallest answer, {question.min}, is larger than the largest, {question.max}")
                step = 10.0**-question.decimals if isinstance(question, resolved.Numeric) else 1.0
                self.bands(question.bands, step, question.min, question.max, (*path, "bands"))
            case resolved.Date():
                bounds = [(question.min, "min")] if question.max == "today" else [(question.min, "min"), (question.max, "max")]
                for bound, name in bounds:
                    if not _real(bound, question.precision):
                        self.faults.broken((*path, name), f"{bound} is not a {question.precision}", f'"2026-11{"-22" if question.precision == "day" else ""}" is one')
                if question.max != "today" and question.min > question.max:
                    self.faults.add((*path, "min"), f"the earliest answer, {question.min}, is later than the latest, {question.max}")
                self.bands(question.bands, 1.0, *_years(question), (*path, "bands"))
            case _:
                pass

    def unbounded(self, path: Path) -> bool:
        """Could the bounds of this question not be read?"""
        return any(self.faults.touched((*path, key)) for key in ("min", "max", "decimals", "precision"))

    def bands(self, bands: tuple[Band, ...], step: float, low: float, high: float | None, path: Path) -> None:
        if not bands or self.faults.touched(path):
            return
        for band in bands:
            if band.upper is not None and band.upper < band.lower:
                self.faults.add(path, f"the band {band.code} ends before it begins")
                return
        for one, other in pairwise(bands):
            if one.upper is None or one.upper >= other.lower:
                self.faults.add(path, f"the bands {one.code} and {other.code} overlap or are out of order")
            elif round((other.lower - one.upper) / step) != 1:
                self.faults.add(path, f"there is a gap between the bands {one.code} and {other.code}", f"answers come in steps of {step:g}")
        first, last = bands[0], bands[-1]
        if first.lower > low:
            self.faults.add(path, f"the first band, {first.code}, begins above the smallest answer, {low:g}")
        if last.upper is not None and (high is None or last.upper < high):
            self.faults.add(path, f"the last band, {last.code}, ends below the largest answer", f'"{last.lower:g}+" has no end')

    def privacy(self, question: Any, path: Path) -> None:
        role, name = question.privacy.role, question.privacy.hierarchy
        text = isinstance(question, resolved.ShortText | resolved.LongText)
        place = (*path, "privacy")
        if text and role not in ("free_text", "identifying"):
            self.faults.add((*place, "role"), f"{question.id} is free text but its role is {role}", "free_text, or identifying")
        if not text and role == "free_text":
            self.faults.add((*place, "role"), f"{question.id} is not a text", "free_text is for short_text and long_text")
        if role == "quasi_identifier" and name is None:
            self.faults.add(place, f"{question.id} is a quasi-identifier without a hierarchy", "say how it is generalised before release")
        if name is None:
            return
        hierarchy = self.instrument.hierarchies.get(name)
        if hierarchy is None:
            self.faults.add((*place, "hierarchy"), f"there is no hierarchy {name}", nearest(name, list(self.instrument.hierarchies)))
            return
        at = ("hierarchies", name)
        wanted = _HIERARCHY.get(type(question))
        if self.faults.touched(at) or self.unbounded(path):
            return
        if wanted is None or hierarchy.rule != wanted:
            advice = "only single, integer, numeric and date can be generalised" if wanted is None else f"one by {_BY[wanted]} is needed"
            self.faults.add((*place, "hierarchy"), f"the hierarchy {name} does not fit {question.id}", advice)
        elif hierarchy.rule == "table" and len(hierarchy.levels) > 2:
            missing = [option.code for option in question.options if option.code not in hierarchy.table]
            if missing:
                self.faults.add(at, f"the hierarchy {name} leaves out {', '.join(missing[:12])} of {question.id}", "every code needs its generalised values")
        elif hierarchy.rule == "bands":
            step = 10.0 ** -getattr(question, "decimals", 0)
            for index, bands in enumerate(hierarchy.bands):
                self.bands(bands, step, question.min, question.max, (*at, "bands", index))
        elif hierarchy.rule == "date" and hierarchy.bands:
            self.bands(hierarchy.bands[0], 1.0, *_years(question), (*at, "periods"))

    def stats(self, question: Any, path: Path) -> None:
        place = (*path, "stats")
        fitting = STATS[type(question)]
        kind = type(question).__struct_config__.tag
        self.once(((stat, (*place, index)) for index, stat in enumerate(question.stats)), f"statistic of {question.id}")
        if "none" in question.stats and len(question.stats) > 1:
            self.faults.add(place, f"{question.id} asks for no statistic and for some", "none stands alone")
        for index, stat in enumerate(question.stats):
            if stat not in fitting:
                self.faults.add((*place, index), f"{stat} does not fit a question of type {kind}", f"fitting are {', '.join(sorted(fitting))}")
        if isinstance(question, resolved.Single | resolved.Matrix) and question.options and not self.faults.touched((*path, "ordered")):
            scored = [option.code for option in question.options if option.code not in NON_SUBSTANTIVE]
            for stat in sorted({"mean", "net_agreement"} & set(question.stats)):
                if not question.ordered or not all(code.isascii() and code.isdigit() for code in scored):
                    self.faults.add(place, f"{stat} of {question.id} needs ordered options with numbers as codes", "write ordered: true if they are a scale")
                elif stat == "net_agreement" and set(scored) != {"1", "2", "3", "4", "5"}:
                    self.faults.add(place, f"net_agreement of {question.id} needs the codes 1 to 5")
        if isinstance(question, resolved.Integer | resolved.Numeric | resolved.Date) and not question.bands:
            banded = [stat for stat in question.stats if stat in ("distribution", "median", "crosstab")]
            if banded and not self.faults.touched((*path, "bands")):
                self.faults.add(path, f"{banded[0]} of {question.id} is published over bands, and it has none", 'bands: ["0", "1-49", "50+"]')

    def hierarchies(self) -> None:
        for name, hierarchy in self.instrument.hierarchies.items():
            path: Path = ("hierarchies", name)
            levels = hierarchy.levels
            if self.faults.touched(path) or not levels:
                continue
            self.once(((level, (*path, "levels", index)) for index, level in enumerate(levels)), f"level of {name}")
            if levels[-1] != "*":
                self.faults.add((*path, "levels"), f"the last level of {name} is not *", 'end the levels with "*": nothing is told any more')
            middle = levels[1:-1]
            values: set[str] = set()
            match hierarchy.rule:
                case "table":
                    values = {value for row in hierarchy.table.values() for value in row}
                    self.nested(hierarchy.table, middle, path)
                case "bands":
                    values = {band.code for bands in hierarchy.bands for band in bands}
                    if len(hierarchy.bands) != len(middle):
                        self.faults.add((*path, "bands"), f"{name} has {len(middle)} levels between the first and * but {len(hierarchy.bands)} lists of bands")
                    for finer, coarser in pairwise(hierarchy.bands):
                        starts = {band.lower for band in finer}
                        astray = [band.code for band in coarser[1:] if band.lower not in starts]
                        if astray:
                            self.faults.add((*path, "bands"), f"the band {astray[0]} cuts through a band of the level below")
                case "date":
                    values = {band.code for bands in hierarchy.bands for band in bands}
                    if any(level not in ("year", "period") for level in middle) or middle == ("period", "year"):
                        self.faults.add((*path, "levels"), f"the levels of {name} between the first and * are not year, period")
                    if ("period" in middle) != bool(values):
                        self.faults.add(path, f"{name} needs both the level period and the list periods, or neither")
            for value in hierarchy.labels:
                if value not in values:
                    self.faults.add((*path, "labels", value), f"{value} is not a value of {name}", nearest(value, sorted(values)))
            missing = sorted(values - set(hierarchy.labels)) if hierarchy.labels and hierarchy.rule == "table" else []
            if missing:
                self.faults.add((*path, "labels"), f"{name} has no label for {', '.join(missing[:12])}")

    def nested(self, table: dict[str, tuple[str, ...]], middle: tuple[str, ...], path: Path) -> None:
        """Each level must be a coarsening of the one before, or a generalised file would tell more, not less."""
        for depth in range(len(middle) - 1):
            above: dict[str, str] = {}
            for values in table.values():
                if above.setdefault(values[depth], values[depth + 1]) != values[depth + 1]:
                    self.faults.add(path, f"{values[depth]} belongs to two values of the level {middle[depth + 1]}")

    def rules(self) -> None:
        before = len(self.faults.found)
        shown: list[tuple[Rule, Path, str]] = []
        for written in self.survey.derived:
            self.rule(self.derived[written.id].rule, (*self.faults.place(written), "rule"), None, derived=True)
        for check, resolved_check in zip(self.survey.soft_checks, self.instrument.soft_checks, strict=True):
            path = (*self.faults.place(check), "when")
            self.rule(resolved_check.when, path, None)
            shown.append((resolved_check.when, path, f"the soft check {check.id}"))
        for index, (written, question) in enumerate(self.pairs):
            if question.show_if is not None:
                path = (*self.faults.place(written), "show_if")
                self.rule(question.show_if, path, index)
                shown.append((question.show_if, path, f"the {'required ' if question.required else ''}question {question.id}"))
        if len(self.faults.found) == before and not any(self.faults.touched((part,)) for part in ("questions", "derived", "scales")):
            for rule, path, what in shown:
                if not can_hold(rule, self.instrument):
                    self.faults.add(path, f"{what} can never be shown: its rule never holds")

    def rule(self, rule: Rule, path: Path, before: int | None, derived: bool = False) -> None:
        """`before` is the position of the question that the rule shows: all it speaks of must come earlier."""
        forms = [rule.q is not None or rule.op is not None, bool(rule.all), bool(rule.any), rule.not_ is not None]
        if self.faults.touched(path) and not any(forms):
            return
        if sum(forms) != 1:
            self.faults.add(path, "a rule is one test with q and op, or one of all, any, not")
            return
        for name, children in (("all", rule.all), ("any", rule.any)):
            for index, child in enumerate(children):
                self.rule(child, (*path, name, index), before, derived)
        if rule.not_ is not None:
            self.rule(rule.not_, (*path, "not"), before, derived)
        if not forms[0]:
            return
        if rule.q is None or rule.op is None:
            self.faults.add(path, f"the test lacks {'q' if rule.q is None else 'op'}", "for example {q: A01, op: answered}")
        elif rule.op == "derived":
            if derived:
                self.faults.add(path, "a derived variable is computed from answers, not from another derived variable")
            else:
                self.test_derived(rule, path, before)
        else:
            self.test(rule, rule.q, path, before)

    def test_derived(self, rule: Rule, path: Path, before: int | None) -> None:
        known = self.derived.get(rule.q or "")
        if known is None:
            self.faults.add((*path, "q"), f"there is no derived variable {rule.q}", nearest(rule.q or "", list(self.derived)))
            return
        if not rule.value or not set(rule.value) <= {"0", "1"}:
            self.faults.add((*path, "value"), 'a derived variable is "1" or "0"')
        if rule.rows:
            self.faults.add((*path, "rows"), "rows belong to any_row_in")
        for id in sorted(_mentioned(known.rule)):
            self.earlier(id, (*path, "q"), before)

    def earlier(self, id: str, path: Path, before: int | None) -> None:
        if before is not None and self.position.get(id, -1) >= before:
            own = self.position[id] == before
            self.faults.add(path, f"the rule points {'to its own question' if own else f'forward, to {id}'}", "a question can depend on earlier ones only")

    def test(self, rule: Rule, id: str, path: Path, before: int | None) -> None:
        position = self.position.get(id)
        if position is None:
            if id not in self.faults.lost:
                self.faults.add((*path, "q"), f"there is no question {id}", nearest(id, list(self.position)))
            return
        self.earlier(id, (*path, "q"), before)
        if not self.enabled[id]:
            self.faults.add((*path, "q"), f"{id} is not enabled, so nobody answers it")
        question = self.instrument.questions[position]
        place = self.faults.place(self.survey.questions[position])
        if rule.rows and rule.op != "any_row_in":
            self.faults.add((*path, "rows"), "rows belong to any_row_in")
        if rule.op == "answered":
            if rule.value:
                self.faults.add((*path, "value"), "answered takes no value")
            return
        kind, name = OPERATIONS[rule.op or ""]
        if not isinstance(question, kind):
            fitting = [op for op, (each, _) in OPERATIONS.items() if isinstance(question, each)] + ["answered"]
            self.faults.add((*path, "op"), f"{rule.op} is for questions of type {name}, and {id} is none", f"fitting: {', '.join(fitting)}")
            return
        if not rule.value and not self.faults.touched((*path, "value")):
            self.faults.add(path, f"{rule.op} needs a value", "a list of codes")
        if isinstance(question, resolved.Closed) and question.options and not self.faults.touched((*place, "options")):
            codes = [option.code for option in question.options]
            for code in rule.value:
                if code not in codes:
                    self.faults.add((*path, "value"), f"{id} has no code {code}", nearest(code, codes))
        if isinstance(question, resolved.Matrix) and not self.faults.touched((*place, "rows")):
            rows = [row.code for row in question.rows]
            for row in rule.rows:
                if row not in rows:
                    self.faults.add((*path, "rows"), f"{id} has no row {row}", nearest(row, rows))

    def strata(self) -> None:
        variables = {question.var: question for question in self.instrument.questions}
        known = list(self.derived)
        for question in self.instrument.questions:
            if isinstance(question, resolved.Single):
                known.append(question.var)
            hierarchy = self.instrument.hierarchies.get(question.privacy.hierarchy or "")
            known += [f"{question.var}.{level}" for level in hierarchy.levels[1:-1]] if hierarchy else []
        for index, stratum in enumerate(self.survey.strata):
            if stratum not in known:
                self.faults.add(("strata", index), f"{stratum} is not a variable or a level of one", nearest(stratum, known))
                continue
            question = variables.get(stratum.partition(".")[0])
            if question is not None and not self.enabled[question.id]:
                self.faults.add(("strata", index), f"{question.id} is not enabled, so nobody answers it")

    def headlines(self) -> None:
        for headline in self.survey.headlines:
            path = self.faults.place(headline)
            if headline.of is not None and headline.of not in self.derived:
                self.faults.add((*path, "of"), f"there is no derived variable {headline.of}", nearest(headline.of, list(self.derived)))
            position = self.position.get(headline.question)
            if position is None:
                if headline.question not in self.faults.lost:
                    self.faults.add((*path, "question"), f"there is no question {headline.question}", nearest(headline.question, list(self.position)))
                continue
            question = self.instrument.questions[position]
            if not self.enabled[question.id]:
                self.faults.add((*path, "question"), f"{question.id} is not enabled, so nobody answers it")
            elif headline.of is not None and headline.stat != "share":
                self.faults.add((*path, "stat"), "of a derived variable only the share is told")
            elif headline.of is None and headline.stat not in question.stats:
                self.faults.add((*path, "stat"), f"{headline.stat} is not among the statistics of {question.id}", f"they are {', '.join(question.stats)}")


_BY = {"table": "map or table", "bands": "bands", "date": "periods"}


def _mentioned(rule: Rule) -> set[str]:
    inner = [*rule.all, *rule.any, *([rule.not_] if rule.not_ else [])]
    return ({rule.q} if rule.q else set()).union(*(_mentioned(each) for each in inner))


def _real(text: str, precision: str) -> bool:
    try:
        date.fromisoformat(text if precision == "day" else f"{text}-01")
    except ValueError:
        return False
    return True


def _years(question: resolved.Date) -> tuple[float, float | None]:
    low = question.min[:4]
    high = None if question.max == "today" else question.max[:4]
    return float(low) if low.isdigit() else 0.0, float(high) if high and high.isdigit() else None
