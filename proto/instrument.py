"""An instrument: a questionnaire as data, resolved, immutable once published. Pure.

Authors write YAML (`proto.author`); what travels and is stored is this form as JSON. Texts are keyed by language.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from proto.text_patterns import TextPattern

Texts = dict[str, str]
Role = Literal["identifying", "quasi_identifier", "sensitive", "insensitive", "free_text"]
Stat = Literal["count", "share", "distribution", "crosstab", "mean", "median", "net_agreement", "rank_score", "none"]
LegalBasis = Literal["", "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"]
Participation = Literal["open", "invited"]
"""Whether everybody may answer, or whoever was given an invitation code."""
Operation = Literal["in", "not_in", "any_in", "any_row_in", "derived", "answered", "at_least", "at_most", "between", "same_as", "before"]
"""What a test of a rule asks of an answer."""
Formulation = Literal["sum", "mean", "count", "min", "max", "score"]
"""How a value is computed from its parts. "score": the sum that they would have if those that are absent were as the mean of the others."""
Licence = Literal["CC-BY-4.0", "CC0-1.0"]
"""Under which releases are published; names of the SPDX list."""

NON_SUBSTANTIVE = frozenset({"dk", "na", "pnts"})
"""Don't know, not applicable, prefer not to say: shown, counted apart, never scored."""


BIGGEST = 1_000_000_000
"""The greatest number that can be asked for, and the least with a minus: the bounds of a number that has none of its own."""


class Option(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One closed answer. `exclusive` options of a multiple choice stand alone. `show_if`: for whom it is there.

    `score`: what it is worth, of a single choice or a matrix; where no option says so, `proto.scores` tells.
    """

    code: str
    text: Texts
    exclusive: bool = False
    show_if: Rule | None = None
    score: int | None = None


class Row(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A row of a matrix. `show_if`: who is asked it. `exclusive`: whoever answers it answers no other row."""

    code: str
    text: Texts
    show_if: Rule | None = None
    exclusive: bool = False


class Band(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Numbers from `lower` up to and including `upper` (None: no end). For dates the number is the year."""

    code: str
    lower: float
    upper: float | None = None


class Rule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A condition on earlier answers: one test (`q`, `op`, `value`, `rows`, `other`), or `all` / `any` / `not` of others.

    `value` holds codes, also of special values; of a comparison numbers, or dates. `other`: the question that `q` is compared with.
    """

    q: str | None = None
    op: Operation | None = None
    value: tuple[str | int | float, ...] = ()
    rows: tuple[str, ...] = ()
    other: str | None = None
    all: tuple[Rule, ...] = ()
    any: tuple[Rule, ...] = ()
    not_: Rule | None = msgspec.field(default=None, name="not")


class Privacy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    role: Role
    hierarchy: str | None = None


class Question(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """What all question types share. `var` is the variable's name in releases and in strata. `prefill`: a link may bring the answer.

    `piped`: texts that show earlier answers, as `proto.piping` reads them, by their place: "text", "help", "options/{code}",
    "rows/{code}". The form fills them in; the text itself has the earlier question in brackets.
    """

    id: str
    var: str
    section: str
    text: Texts
    help: Texts = {}
    required: bool = False
    prefill: bool = False
    show_if: Rule | None = None
    privacy: Privacy
    stats: tuple[Stat, ...] = ("count",)
    piped: dict[str, Texts] = {}


class Single(Question, frozen=True, omit_defaults=True, tag="single", kw_only=True):
    """`randomise_options`: each respondent sees the options in another order; answers and figures keep the order written here."""

    options: tuple[Option, ...]
    ordered: bool = False
    randomise_options: bool = False


class CaseWeight(Single, frozen=True, omit_defaults=True, tag="case_weight", kw_only=True):
    """How much each respondent weighs (`proto.case_weights`): nobody is asked it, an import brings it.

    The codes of the options are the weights of the classes, the smallest first. `least`, `greatest`: between these the weights of the data
    lie.
    """

    least: float
    greatest: float


class Multiple(Question, frozen=True, omit_defaults=True, tag="multiple", kw_only=True):
    """With `min_choices` 0 somebody may answer that none of the options applies: an empty list, which counts as an answer."""

    options: tuple[Option, ...]
    min_choices: int = 1
    max_choices: int | None = None
    randomise_options: bool = False


class Matrix(Question, frozen=True, omit_defaults=True, tag="matrix", kw_only=True):
    """Each row gets one option. Where `required`, every row must be answered. `ordered`: options form a Likert scale.

    `randomise_rows`: each respondent sees the rows in another order; answers and figures keep the order written here.
    """

    rows: tuple[Row, ...]
    options: tuple[Option, ...]
    ordered: bool = False
    randomise_rows: bool = False


class Ranking(Question, frozen=True, omit_defaults=True, tag="ranking", kw_only=True):
    """The best `rank_count` options, first the best."""

    options: tuple[Option, ...]
    rank_count: int
    randomise_options: bool = False


class ConstantSum(Question, frozen=True, omit_defaults=True, tag="constant_sum", kw_only=True):
    """Each row gets a whole number from 0, and together they make `total`. A row that is not in an answer has 0."""

    rows: tuple[Row, ...]
    total: int
    unit: Texts = {}
    bands: tuple[Band, ...] = ()


class Integer(Question, frozen=True, omit_defaults=True, tag="integer", kw_only=True):
    """`special`: answers in place of a number, such as "not known": the answer is then the code."""

    min: int = -BIGGEST
    max: int = BIGGEST
    unit: Texts = {}
    bands: tuple[Band, ...] = ()
    special: tuple[Option, ...] = ()


class Numeric(Question, frozen=True, omit_defaults=True, tag="numeric", kw_only=True):
    """`special`: as of `Integer`."""

    min: float = -BIGGEST
    max: float = BIGGEST
    decimals: int = 0
    unit: Texts = {}
    bands: tuple[Band, ...] = ()
    special: tuple[Option, ...] = ()


class Computed(Numeric, frozen=True, omit_defaults=True, tag="computed", kw_only=True):
    """A number that nobody is asked: it is computed from answers (`proto.computed`), and counted and released like one that was given.

    `of`: ids of questions, or of a row of a matrix or constant sum ("B02.safe"); either alone stands for all its rows. `least`: how many
    parts must be known. It stands behind the last of them.
    """

    op: Formulation
    of: tuple[str, ...]
    least: int = 1


class Date(Question, frozen=True, omit_defaults=True, tag="date", kw_only=True):
    """A month ("2026-11") or, by `precision`, a day ("2026-11-22") or a year ("2026"). `max` may be "today". `special`: as of `Integer`."""

    precision: Literal["month", "day", "year"] = "month"
    min: str = "1900-01"
    max: str = "today"
    bands: tuple[Band, ...] = ()
    special: tuple[Option, ...] = ()

    @property
    def length(self) -> int:
        """Characters of an answer."""
        return {"year": 4, "month": 7, "day": 10}[self.precision]


class OptionRef(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An option of a single or multiple choice: the question's id and the option's code."""

    question: str
    option: str


class ShortText(Question, frozen=True, omit_defaults=True, tag="short_text", kw_only=True):
    """`specifies`: the option that this text says more about. The form draws the text inside that option. `pattern`: what it looks like."""

    max_chars: int = 300
    specifies: OptionRef | None = None
    pattern: TextPattern | None = None


class LongText(Question, frozen=True, omit_defaults=True, tag="long_text", kw_only=True):
    max_chars: int = 3000


AnyQuestion = Single | CaseWeight | Multiple | Matrix | Ranking | ConstantSum | Integer | Numeric | Computed | Date | ShortText | LongText
Closed = Single | Multiple | Matrix | Ranking
WithRows = Matrix | ConstantSum
Number = Integer | Numeric
Measured = Integer | Numeric | Date
"""What is counted by bands, and may have special values."""


def special_codes(question: Measured) -> frozenset[str]:
    """The codes that may stand in place of the number or date."""
    return frozenset(option.code for option in question.special)


class Hierarchy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a quasi-identifier is generalised, level by level; level 0 is the answer itself, the last is "*".

    rule "table": `table[code]` holds the value at each level between the first and "*".
    rule "bands": `bands[i]` are the bands of level i + 1. rule "date": level names out of year, period; `bands[0]` the periods.
    """

    levels: tuple[str, ...]
    rule: Literal["table", "bands", "date"] = "table"
    table: dict[str, tuple[str, ...]] = {}
    bands: tuple[tuple[Band, ...], ...] = ()
    labels: dict[str, Texts] = {}


class Derived(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A yes/no variable ("1" or "0") computed from answers."""

    id: str
    rule: Rule
    labels: dict[str, Texts] = {}


class Section(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    id: str
    text: Texts


class Note(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A text between questions. `before`: the id of the question that it stands before; "" at the end of its section.

    `piped`: as of a question, by the place "text".
    """

    id: str
    section: str
    text: Texts
    before: str = ""
    show_if: Rule | None = None
    piped: dict[str, Texts] = {}


class SoftCheck(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A question back to the respondent when answers look at odds; it never blocks sending."""

    id: str
    when: Rule
    text: Texts


class Headline(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`of`: a derived variable. `options`: codes whose shares are told together; of a matrix row by row, or of one `row`."""

    id: str
    label: Texts
    question: str
    stat: Stat
    of: str | None = None
    options: tuple[str, ...] = ()
    row: str | None = None


class Portion(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A group of the population, and which share of the population it is."""

    code: str
    share: float


class Margin(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the population divides by a stratum, or by the closed answers of a question; weighted figures are brought to it.

    `portions` add up to 1, in the author's order. Respondents in none of them are not of the population.
    """

    of: str
    source: Texts
    portions: tuple[Portion, ...]


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When figures are published: nothing of fewer than `minimum` respondents, a new state only after the survey grew by `batch` at least
    and `clock` seconds passed. How much noise they carry is up to the author only where a guarantee is asked for: "differential-privacy",
    with `epsilon` and `delta` over the whole life of a survey. `batch` says nothing then.

    `i_understand_that_this_protects_nobody`: figures move with each batch, in trials. `max_noise` and `variance` say nothing any more;
    questionnaires that were published before may have them.
    """

    name: Literal["cell-key", "differential-privacy"] = "cell-key"
    minimum: int = 10
    batch: int = 10
    clock: float = 1.0
    max_noise: int | None = None
    variance: float | None = None
    i_understand_that_this_protects_nobody: bool = False
    epsilon: float | None = None
    delta: float | None = None

    @property
    def guaranteed(self) -> bool:
        """Whether epsilon and delta are promised."""
        return self.name == "differential-privacy"


class DataProtection(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The organiser's part of the information notice: what Article 13 of the GDPR and Article 15 of Regulation (EU) 2018/1725 ask for.

    `legal_basis` names the letter of Article 6(1) that `basis` puts in words; "" where a file written before says it in words alone.
    """

    controller: Texts = {}
    basis: Texts = {}
    retention: Texts = {}
    contact: Texts = {}
    legal_basis: LegalBasis = ""
    officer: Texts = {}
    purposes: Texts = {}
    recipients: Texts = {}
    transfers: Texts = {}
    rights: Texts = {}
    complaint: Texts = {}
    voluntary: Texts = {}
    automated: Texts = {}


class Accessibility(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The organiser's part of the accessibility statement, after the model of Decision (EU) 2018/1523.

    `contact`: where people tell what does not work for them. `enforcement`: the body to turn to if the answer does not satisfy them.
    """

    contact: Texts = {}
    enforcement: Texts = {}


class ContactForm(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Offers the results by e-mail, on a page of its own after sending. Where `interview` has a text, one more box to tick."""

    text: Texts = {}
    interview: Texts = {}


class Quota(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of those whom `when` describes, about `limit` are wanted. Whoever comes after that reads `text` instead of the other questions."""

    id: str
    when: Rule
    limit: int
    text: Texts


class Opening(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When a survey opens: `at` is "2026-12-01 09:00" by the clocks of `zone`, a name of the tz database."""

    at: str
    zone: str


class Closing(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """When a survey closes to whoever has not begun. Those who have may send for so many minutes more (`proto.schedule`)."""

    at: str
    zone: str
    grace_minutes: int = 60


class Instrument(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """`listed`: whether lists for everybody name it."""

    id: str
    version: str
    source_language: str
    languages: tuple[str, ...]
    title: Texts
    introduction: Texts = {}
    definitions: Texts = {}
    notice: Texts = {}
    data_protection: DataProtection | None = None
    accessibility: Accessibility | None = None
    contact_form: ContactForm | None = None
    participation: Participation = "open"
    opens: Opening | None = None
    closes: Closing | None = None
    listed: bool = True
    licence: Licence = "CC-BY-4.0"
    estimated_minutes: tuple[int, int] | None = None
    unit_of_response: Texts = {}
    one_question_per_page: bool = False
    sections: tuple[Section, ...]
    questions: tuple[AnyQuestion, ...]
    notes: tuple[Note, ...] = ()
    derived: tuple[Derived, ...] = ()
    strata: tuple[str, ...] = ()
    hierarchies: dict[str, Hierarchy] = {}
    soft_checks: tuple[SoftCheck, ...] = ()
    quotas: tuple[Quota, ...] = ()
    headlines: tuple[Headline, ...] = ()
    margins: tuple[Margin, ...] = ()
    policy: Policy = Policy()

    @property
    def asked(self) -> tuple[AnyQuestion, ...]:
        """The questions that somebody is asked: all but computed values and the weight that data come with."""
        return tuple(question for question in self.questions if not isinstance(question, Computed | CaseWeight))

    @property
    def case_weight(self) -> CaseWeight | None:
        """The weight that each respondent of imported data comes with; None where there is none."""
        return next((question for question in self.questions if isinstance(question, CaseWeight)), None)

    def question(self, id: str) -> AnyQuestion:
        """The question with this id. Raises KeyError where there is none."""
        for question in self.questions:
            if question.id == id:
                return question
        raise KeyError(id)


_decoder = msgspec.json.Decoder(Instrument)


def encode(instrument: Instrument) -> bytes:
    """Canonical JSON: the same instrument always gives the same bytes."""
    return msgspec.json.encode(instrument, order="deterministic")


def decode(data: bytes) -> Instrument:
    """Raises msgspec.ValidationError on anything but an instrument."""
    return _decoder.decode(data)
