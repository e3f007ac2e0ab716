"""The snapshot: what dashboards receive, a whole picture with a revision, never a difference. Pure."""

from __future__ import annotations

import msgspec


class Weighted(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A share of the weighted answers, with the 95 % Wilson interval at the effective number of those who answered."""

    share: float
    ci95: tuple[float, float]


class Cell(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A count with its share of those who answered and the 95 % Wilson interval of the share; or a withheld one."""

    n: int | None = None
    share: float | None = None
    ci95: tuple[float, float] | None = None
    withheld: bool = False
    weighted: Weighted | None = None


class Nonresponse(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Of those whom a question was shown (`asked`): how many left it out (`missing`), did not know (`dk`), would not say
    (`pnts`), or found that it does not apply (`na`). `rate`: the first three of all asked."""

    asked: int
    missing: int
    dk: int | None = None
    na: int | None = None
    pnts: int | None = None
    rate: float | None = None


class Scale(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Of weighted answers on an ordered scale: the mean place and the net agreement, each with its 95 % interval. Of a row of a constant
    sum the mean alone."""

    mean: float
    net_agreement: float | None = None
    mean_ci95: tuple[float, float] | None = None
    net_agreement_ci95: tuple[float, float] | None = None


class PublishedRow(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One row of a matrix. Of an ordered scale: the mean place and the net agreement, each with its 95 % interval.

    Of a row of a constant sum: the bands of its numbers as `cells`, their mean, and as `digits` how many of them have each binary digit,
    the lowest first: the mean is Σ digits[i] 2^i / answered.
    """

    answered: int | None = None
    cells: dict[str, Cell] = {}
    withheld: bool = False
    mean: float | None = None
    net_agreement: float | None = None
    mean_ci95: tuple[float, float] | None = None
    net_agreement_ci95: tuple[float, float] | None = None
    nonresponse: Nonresponse | None = None
    n_eff: float | None = None
    weighted: Scale | None = None
    digits: tuple[int, ...] = ()


class Figures(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One question. `cells` for single, multiple and ranking (ranked at all), `rows` for a matrix, `bands` for numbers and dates,
    beside `cells` for the special values that may stand in their place; texts have only `answered`. Of numbers `sum`, `mean` and
    `variance` (divisor n - 1) stand in the exact view only. `n_eff`: to how many respondents of equal weight those who answered are
    worth, where figures are weighted. `places`: how often each option of a ranking stood first, second and so on, from which its
    `rank_score` follows."""

    type: str
    answered: int | None = None
    skipped: int | None = None
    missing: int | None = None
    withheld: bool = False
    cells: dict[str, Cell] = {}
    rows: dict[str, PublishedRow] = {}
    bands: dict[str, Cell] = {}
    first: dict[str, Cell] = {}
    rank_score: dict[str, float] = {}
    median_band: str | None = None
    mean: float | None = None
    variance: float | None = None
    sum: float | None = None
    net_agreement: float | None = None
    mean_ci95: tuple[float, float] | None = None
    net_agreement_ci95: tuple[float, float] | None = None
    nonresponse: Nonresponse | None = None
    n_eff: float | None = None
    weighted: Scale | None = None
    places: dict[str, tuple[int, ...]] = {}

    @property
    def shares(self) -> dict[str, Cell]:
        """The cells of every closed answer that is no row of a matrix, in order: bands first, then what stands in their place."""
        return self.bands | self.cells


class Group(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One group of a breakdown. `current`: how many are in it at this edition. `responses`: of how many its figures tell, which move
    more rarely; they are those of `as_of`."""

    responses: int | None = None
    withheld: bool = False
    questions: dict[str, Figures] = {}
    current: int | None = None
    as_of: str | None = None


class PublishedGuarantee(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of differential privacy: (epsilon, delta) for a person's whole history, over all editions together, given the number of respondents.

    `editions` of `most_editions` are made, which has used up the epsilon `spent`, at the same delta.
    """

    epsilon: float
    delta: float
    most_editions: int
    editions: int = 0
    spent: float = 0.0


class PublishedPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules that figures were published by; their secret is not among them.

    `growth`: the part of the respondents by which a survey grows, about, before figures move, if that is more than `batch`. `tables_from`:
    of how many respondents there are breakdowns and tables; they move when there are `tables_factor` times as many. `noise`: the
    standard deviation that noise gives to a count of one answer. `unprotected`: figures move with each batch, in a trial. `guarantee`:
    what is promised where the policy is "differential-privacy".
    """

    name: str
    minimum: int
    batch: int
    clock: float | None = None
    growth: float | None = None
    tables_from: int | None = None
    tables_factor: float | None = None
    noise: float | None = None
    unprotected: bool = False
    guarantee: PublishedGuarantee | None = None


class SectionAnswers(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How far a section was answered. `asked` and `answered` count questions (rows, in a matrix) over all respondents;
    `reached`: so many respondents at least answered something in it."""

    asked: int
    answered: int
    reached: int
    share: float | None = None


class Weighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """How figures are weighted, or why they are not.

    `reason`: "no-margin" (nothing is known of the population: a self-selected sample, unless it was drawn), "too-few"
    (no two groups with enough respondents), "small-cells" (public figures: the combinations of groups are so small that noise would
    outweigh what they tell), "guarantee" (public figures: a guarantee covers no weighted ones), "no-fit" (no weights reach all margins
    at once).
    `groups`: for each margin, its groups as they were weighted; those with too few respondents are joined.
    `cases`: each response brought a weight of its own, as imported data do.
    `responses`: those in a group of each margin, or with a weight; the others are left out. `n_eff`: Kish's effective sample size;
    `deff`: by how much the weights alone make variances greater. `as_of`: public figures are weighted as of when tables last moved.
    """

    reason: str | None = None
    groups: dict[str, tuple[tuple[str, ...], ...]] = {}
    responses: int | None = None
    n_eff: float | None = None
    deff: float | None = None
    as_of: str | None = None
    cases: bool = False


class PublishedHeadline(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A figure that the instrument puts first: a share (`n` of `of`), a net agreement or mean rank points, with its 95 %
    interval. A list has `items` instead, by row or option."""

    value: float | None = None
    ci95: tuple[float, float] | None = None
    n: int | None = None
    of: int | None = None
    withheld: bool = False
    items: dict[str, PublishedHeadline] = {}


class QuotaCount(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many respondents meet a quota, of about how many that are wanted. `full`: it was said to be full, and stays so."""

    counted: int
    limit: int
    full: bool = False


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True):
    """`revision` grows by one with each published state. `as_of` is the UTC second of publication. `quotas`: in the exact view alone."""

    survey: str
    version: str
    revision: int
    as_of: str
    responses: int
    policy: PublishedPolicy
    questions: dict[str, Figures] = {}
    breakdowns: dict[str, dict[str, Group]] = {}
    sections: dict[str, SectionAnswers] = {}
    weighting: Weighting | None = None
    headlines: dict[str, PublishedHeadline] = {}
    quotas: dict[str, QuotaCount] = {}


class Association(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Whether the two sides of a table hang together, the noise of published counts accounted for.

    `chi2` with `df` and `p`: Pearson's statistic under the null distribution that includes the noise. `cramers_v`: bias-
    corrected. `sparse`: expected counts are too small for `p` to be trusted; a public table has none then. `reason`:
    "overlapping" (one respondent may stand in several cells), "withheld" (some cells are), "empty" (no two rows and columns).
    """

    chi2: float | None = None
    df: float | None = None
    p: float | None = None
    cramers_v: float | None = None
    sparse: bool = False
    reason: str | None = None


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """A two-way table: `cells[row code][column code]`. Rows of a matrix question are addressed as "B02.cctv". `answered`: how many
    of each row answered the column's question; shares are of them, or of the largest count where noise put one above.

    `rows`, `columns`: the counts and shares of each side alone, of everybody as of the table: what its lines and columns add up to.

    Where weights were asked for, `total` holds the weighted shares of the columns among all rows together.
    """

    survey: str
    version: str
    revision: int
    as_of: str
    row: str
    column: str
    responses: int
    policy: PublishedPolicy
    cells: dict[str, dict[str, Cell]] = {}
    association: Association | None = None
    total: dict[str, Weighted] = {}
    weighting: Weighting | None = None
    answered: dict[str, int] = {}
    rows: dict[str, Cell] = {}
    columns: dict[str, Cell] = {}


def encode(snapshot: Snapshot | Table) -> bytes:
    return msgspec.json.encode(snapshot)
