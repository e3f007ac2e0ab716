"""What an author may write: the format `platea-instrument/2`, key by key. A file of format 1 is one of format 2, too. Pure."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from proto.authoring.parse import TEXTS
from proto.case_weights import MOST as MOST_CLASSES
from proto.instrument import BIGGEST, Formulation, LegalBasis, Operation, OptionRef, Role, Stat
from proto.text_patterns import TextPattern

FORMAT = "platea-instrument/2"

Texts = Annotated[dict[str, str], Meta(title=TEXTS)]
SurveyId = Annotated[str, Meta(pattern="[a-z][a-z0-9-]{0,63}", description="a survey id: small letters, digits, hyphens, a letter first")]
QuestionId = Annotated[
    str, Meta(pattern="[A-Z][A-Za-z0-9_]{0,63}", description="a question id: letters, digits, underscores, a capital letter first")
]
SectionId = Annotated[
    str, Meta(pattern="[A-Za-z][A-Za-z0-9_-]{0,63}", description="a section id: letters, digits, hyphens, a letter first")
]
Name = Annotated[
    str, Meta(pattern="[a-z][a-z0-9_]{0,31}", description="a name of at most 32 small letters, digits, underscores, a letter first")
]
Code = Annotated[str, Meta(pattern="[A-Za-z0-9_.+-]{1,64}", description="a code: letters, digits and _ . + - only")]
Language = Annotated[str, Meta(pattern="[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", description="a language tag such as fr or pt-BR")]
Version = Annotated[str, Meta(pattern=r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}", description='a version such as "0.1.0"')]
File = Annotated[
    str,
    Meta(
        pattern=r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.csv", description="a CSV file below the instrument's folder"
    ),
]
_DAY = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
Day = Annotated[str, Meta(pattern=_DAY, description='a year "2026", a month "2026-11" or a day "2026-11-22"')]
LastDay = Annotated[str, Meta(pattern=rf"today|{_DAY}", description='"today", a year, a month or a day')]
BandText = Annotated[
    str,
    Meta(
        pattern=r"-?[0-9]{1,12}(\.[0-9]{1,4})?(\+|-(-?[0-9]{1,12}(\.[0-9]{1,4})?))?",
        description='a band: one number "0", two with a hyphen "1-49", or an open end "2000+"',
    ),
]
Bands = Annotated[tuple[BandText, ...], Meta(max_length=200)]
Whole = Annotated[int, Meta(ge=-BIGGEST, le=BIGGEST)]
Number = Annotated[float, Meta(ge=-BIGGEST, le=BIGGEST)]
Weight = Annotated[float, Meta(ge=0.000_001, le=BIGGEST)]


class AuthoredSpecify(msgspec.Struct, frozen=True):
    """The text that an option opens."""

    max_chars: Annotated[int, Meta(ge=1, le=1_000)] = 200
    required: bool = False


Values = Annotated[tuple[str, ...], Meta(min_length=1, max_length=500)]
Compared = Annotated[tuple[str | Whole | Number, ...], Meta(min_length=1, max_length=500)]


class AuthoredRule(msgspec.Struct, frozen=True):
    q: str | None = None
    op: Operation | None = None
    value: str | Whole | Number | Compared = ()
    rows: Values = ()
    other: str | None = None
    all: Annotated[tuple[AuthoredRule, ...], Meta(min_length=1, max_length=50)] = ()
    any: Annotated[tuple[AuthoredRule, ...], Meta(min_length=1, max_length=50)] = ()
    not_: AuthoredRule | None = msgspec.field(default=None, name="not")


class AuthoredOption(msgspec.Struct, frozen=True):
    """`{code: "1", en: "…", fr: "…"}`: the languages stand beside the code. `specify` opens a text of its own."""

    inline: ClassVar[str] = "text"
    code: Code
    text: Texts
    exclusive: bool = False
    show_if: AuthoredRule | None = None
    specify: bool | AuthoredSpecify = False
    score: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | None = None


class AuthoredRow(msgspec.Struct, frozen=True):
    inline: ClassVar[str] = "text"
    code: Code
    text: Texts
    show_if: AuthoredRule | None = None
    exclusive: bool = False


class AuthoredSpecial(msgspec.Struct, frozen=True):
    """`{code: dk, en: "Not known"}`: an answer in place of a number or date."""

    inline: ClassVar[str] = "text"
    code: Code
    text: Texts


class OptionsFrom(msgspec.Struct, frozen=True):
    """Options out of a table: the column of the codes, and one column of labels per language."""

    file: File
    code: str
    label: Texts


Options = Annotated[tuple[AuthoredOption, ...], Meta(min_length=1, max_length=500)]
Rows = Annotated[tuple[AuthoredRow, ...], Meta(min_length=1, max_length=200)]
Specials = Annotated[tuple[AuthoredSpecial, ...], Meta(max_length=20)]


class AuthoredPrivacy(msgspec.Struct, frozen=True):
    role: Role
    hierarchy: str | None = None


class AuthoredQuestion(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    id: QuestionId
    var: Name
    section: str
    text: Texts
    help: Texts = {}
    required: bool = False
    enabled: bool = True
    prefill: bool = False
    show_if: AuthoredRule | None = None
    privacy: AuthoredPrivacy
    stats: Annotated[tuple[Stat, ...], Meta(min_length=1, max_length=9)] = ("count",)


class AuthoredChoice(AuthoredQuestion, frozen=True, kw_only=True):
    """Options are written out, named as a scale, or read from a table: one of the three."""

    options: Options = ()
    scale: str | None = None
    options_from: OptionsFrom | None = None


class AuthoredSingle(AuthoredChoice, frozen=True, kw_only=True, tag="single"):
    ordered: bool = False
    randomise_options: bool = False


class AuthoredCaseWeightQuestion(AuthoredSingle, frozen=True, kw_only=True, tag="case_weight"):
    """A case weight as the last of the questions, where no author writes it."""

    least: float
    greatest: float


class AuthoredMultiple(AuthoredChoice, frozen=True, kw_only=True, tag="multiple"):
    min_choices: Annotated[int, Meta(ge=0, le=500)] = 1
    max_choices: Annotated[int, Meta(ge=1, le=500)] | None = None
    randomise_options: bool = False


class AuthoredMatrix(AuthoredChoice, frozen=True, kw_only=True, tag="matrix"):
    rows: Rows
    ordered: bool = False
    randomise_rows: bool = False


class AuthoredRanking(AuthoredChoice, frozen=True, kw_only=True, tag="ranking"):
    rank_count: Annotated[int, Meta(ge=1, le=500)]
    randomise_options: bool = False


class AuthoredConstantSum(AuthoredQuestion, frozen=True, kw_only=True, tag="constant_sum"):
    rows: Annotated[tuple[AuthoredRow, ...], Meta(min_length=2, max_length=50)]
    total: Annotated[int, Meta(ge=1, le=1_000_000)]
    unit: Texts = {}
    bands: Bands = ()


class AuthoredInteger(AuthoredQuestion, frozen=True, kw_only=True, tag="integer"):
    min: Whole = -BIGGEST
    max: Whole = BIGGEST
    unit: Texts = {}
    bands: Bands = ()
    special: Specials = ()


class AuthoredNumeric(AuthoredQuestion, frozen=True, kw_only=True, tag="numeric"):
    min: Number = -BIGGEST
    max: Number = BIGGEST
    decimals: Annotated[int, Meta(ge=0, le=4)] = 0
    unit: Texts = {}
    bands: Bands = ()
    special: Specials = ()


class AuthoredDate(AuthoredQuestion, frozen=True, kw_only=True, tag="date"):
    precision: Literal["month", "day", "year"] = "month"
    min: Day | None = None
    max: LastDay = "today"
    bands: Bands = ()
    special: Specials = ()


class AuthoredComputedQuestion(AuthoredQuestion, frozen=True, kw_only=True, tag="computed"):
    """A computed value in its place among the questions, where no author writes it."""

    op: Formulation
    of: tuple[str, ...]
    least: int
    min: float = 0
    max: float = 0
    decimals: int
    unit: Texts = {}
    bands: Bands = ()
    special: Specials = ()


class AuthoredShortText(AuthoredQuestion, frozen=True, kw_only=True, tag="short_text"):
    max_chars: Annotated[int, Meta(ge=1, le=1_000)] = 300
    pattern: TextPattern | None = None


class SpecifyText(AuthoredShortText, frozen=True, kw_only=True, tag="short_text"):
    """The question that an option with `specify` becomes; nobody writes it."""

    specifies: OptionRef


class AuthoredLongText(AuthoredQuestion, frozen=True, kw_only=True, tag="long_text"):
    max_chars: Annotated[int, Meta(ge=1, le=20_000)] = 3000


AnyAuthoredQuestion = (
    AuthoredSingle
    | AuthoredMultiple
    | AuthoredMatrix
    | AuthoredRanking
    | AuthoredConstantSum
    | AuthoredInteger
    | AuthoredNumeric
    | AuthoredDate
    | AuthoredShortText
    | AuthoredLongText
)


class AuthoredNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="note"):
    """A text among the questions, which asks nothing."""

    id: QuestionId
    section: str
    text: Texts
    show_if: AuthoredRule | None = None


class HierarchyTable(msgspec.Struct, frozen=True):
    """A table with a column per level, named as the level; `code` names the column of the codes."""

    file: File
    code: str


class AuthoredHierarchy(msgspec.Struct, frozen=True):
    """One of `map`, `table`, `bands` (a list of bands per level), `periods` (bands of years)."""

    levels: Annotated[tuple[str, ...], Meta(min_length=2, max_length=8)]
    map: dict[str, Code | Annotated[tuple[Code, ...], Meta(min_length=1, max_length=8)]] = {}
    table: HierarchyTable | None = None
    bands: Annotated[tuple[Bands, ...], Meta(min_length=1, max_length=8)] = ()
    periods: Bands = ()
    labels: dict[str, Texts] = {}


class AuthoredComputed(msgspec.Struct, frozen=True):
    """A number that is computed from answers. `var`: the id in small letters, unless written; `least`: how many parts must be known."""

    id: QuestionId
    label: Texts
    op: Formulation
    of: Annotated[tuple[str, ...], Meta(min_length=1, max_length=200)]
    privacy: AuthoredPrivacy
    var: Name | None = None
    least: Annotated[int, Meta(ge=1, le=1000)] | None = None
    decimals: Annotated[int, Meta(ge=0, le=4)] | None = None
    bands: Bands = ()
    unit: Texts = {}
    stats: Annotated[tuple[Stat, ...], Meta(min_length=1, max_length=9)] = ("count",)


class AuthoredCaseWeight(msgspec.Struct, frozen=True):
    """What each respondent of imported data weighs. `var`: the id in small letters, unless written."""

    label: Texts
    least: Weight
    greatest: Weight
    privacy: AuthoredPrivacy
    id: QuestionId = "Weight"
    var: Name | None = None
    classes: Annotated[int, Meta(ge=2, le=MOST_CLASSES)] = 8


class AuthoredDerived(msgspec.Struct, frozen=True):
    id: Name
    rule: AuthoredRule
    labels: dict[str, Texts] = {}


class AuthoredSection(msgspec.Struct, frozen=True):
    """`show_if` stands for a rule of each of its questions."""

    id: SectionId
    text: Texts
    show_if: AuthoredRule | None = None


class AuthoredSoftCheck(msgspec.Struct, frozen=True):
    id: Name
    when: AuthoredRule
    text: Texts


class AuthoredQuota(msgspec.Struct, frozen=True):
    id: Name
    when: AuthoredRule
    limit: Annotated[int, Meta(ge=1, le=10_000_000)]
    text: Texts


class AuthoredHeadline(msgspec.Struct, frozen=True):
    id: Name
    label: Texts
    question: str
    stat: Stat
    of: str | None = None
    options: Values = ()
    row: str | None = None


class AuthoredMargin(msgspec.Struct, frozen=True):
    """The population by group: one of `counts`, `shares`. `of` is a stratum, or the id of a question."""

    of: str
    source: Texts
    counts: dict[str, Annotated[float, Meta(ge=0, le=1_000_000_000_000)]] = {}
    shares: dict[str, Annotated[float, Meta(ge=0, le=1)]] = {}


class AuthoredPolicy(msgspec.Struct, frozen=True):
    name: Literal["cell-key", "differential-privacy"] = "cell-key"
    minimum: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    batch: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    clock: Annotated[float, Meta(ge=0, le=604_800)] = 1.0
    max_noise: Annotated[int, Meta(ge=3, le=30)] | None = None
    variance: Annotated[float, Meta(gt=2, lt=30)] | None = None
    i_understand_that_this_protects_nobody: bool = False
    epsilon: float | None = None
    delta: float | None = None


class AuthoredDataProtection(msgspec.Struct, frozen=True):
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


class AuthoredAccessibility(msgspec.Struct, frozen=True):
    contact: Texts = {}
    enforcement: Texts = {}


class AuthoredContactForm(msgspec.Struct, frozen=True):
    text: Texts = {}
    interview: Texts = {}


LocalTime = Annotated[
    str,
    Meta(
        pattern=r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]) ([01][0-9]|2[0-3]):[0-5][0-9]",
        description='a day and a time "2026-12-31 18:00"',
    ),
]
Zone = Annotated[str, Meta(pattern=r"[A-Za-z0-9_+/-]{1,64}", description="a time zone such as Europe/Brussels, or UTC")]


class AuthoredOpening(msgspec.Struct, frozen=True):
    at: LocalTime
    zone: Zone


class AuthoredClosing(msgspec.Struct, frozen=True):
    at: LocalTime
    zone: Zone
    grace_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 60


class AuthoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is written: notes stand among the questions."""

    format: Literal["platea-instrument/2", "platea-instrument/1"]
    id: SurveyId
    version: Version
    source_language: str
    languages: Annotated[tuple[Language, ...], Meta(min_length=1, max_length=40)]
    title: Texts
    introduction: Texts = {}
    definitions: Texts = {}
    notice: Texts = {}
    data_protection: AuthoredDataProtection | None = None
    accessibility: AuthoredAccessibility | None = None
    contact_form: AuthoredContactForm | None = None
    participation: Literal["open", "invited"] = "open"
    opens: AuthoredOpening | None = None
    closes: AuthoredClosing | None = None
    listed: bool = True
    licence: Literal["CC-BY-4.0", "CC0-1.0"] = "CC-BY-4.0"
    estimated_minutes: Annotated[tuple[Annotated[int, Meta(ge=1, le=600)], ...], Meta(min_length=2, max_length=2)] | None = None
    unit_of_response: Texts = {}
    one_question_per_page: bool = False
    scales: dict[str, Options] = {}
    sections: Annotated[tuple[AuthoredSection, ...], Meta(min_length=1, max_length=200)]
    questions: Annotated[tuple[AnyAuthoredQuestion | AuthoredNote, ...], Meta(min_length=1, max_length=2000)]
    computed: Annotated[tuple[AuthoredComputed, ...], Meta(max_length=200)] = ()
    case_weight: AuthoredCaseWeight | None = None
    derived: Annotated[tuple[AuthoredDerived, ...], Meta(max_length=200)] = ()
    strata: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    hierarchies: dict[str, AuthoredHierarchy] = {}
    soft_checks: Annotated[tuple[AuthoredSoftCheck, ...], Meta(max_length=200)] = ()
    quotas: Annotated[tuple[AuthoredQuota, ...], Meta(max_length=50)] = ()
    headlines: Annotated[tuple[AuthoredHeadline, ...], Meta(max_length=100)] = ()
    margins: Annotated[tuple[AuthoredMargin, ...], Meta(max_length=5)] = ()
    policy: AuthoredPolicy = AuthoredPolicy()


class AuthoredSurvey(AuthoredFile, frozen=True, kw_only=True):
    """A file as it is checked: questions alone, and each note with the index of the question that it stands before."""

    questions: tuple[AnyAuthoredQuestion, ...]
    notes: tuple[tuple[int, AuthoredNote], ...] = ()
