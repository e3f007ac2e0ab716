"""Association of two questions: chi-square and Cramér's V of a two-way table, corrected for the noise of its counts. Pure.

Noise of variance v in each count makes Pearson's statistic greater also where nothing hangs together: its expectation under
independence grows by v Σ (1 - pᵢ)(1 - qⱼ) / Eᵢⱼ, with p and q the shares of rows and columns and E the expected counts. For
the scaled residuals (O - E) / √E are a projection A ⊗ B of the scaled counts, A = I - √p √pᵀ and B = I - √q √qᵀ (Haberman, The
analysis of residuals in cross-classified tables, Biometrics 29, 1973), and independent noise of variance v / E comes through
it to that extent. Under independence the statistic is then Σ λ χ²₁ with λ the eigenvalues of (A ⊗ B)(I + v / E)(A ⊗ B). As
for the design effects of surveys, it is brought to the mean and the variance of a chi-square: J. N. K. Rao and A. J. Scott, On
chi-squared tests for multiway contingency tables, Annals of Statistics 12 (1984), second-order correction.
"""

from __future__ import annotations

from math import exp, lgamma, log, sqrt

import numpy as np

from proto.snapshot import Association
from services.analysis.state.layout import Counts


def associate(counts: Counts, noise: float = 0.0) -> Association:
    """Of a table whose rows exclude each other, and whose columns do. `noise`: the variance that each count has of noise.

    Empty rows and columns are left out. With noise `df` is the corrected one and `chi2` the corrected statistic, so that `p`
    belongs to both. Sparse is a table with expected counts below 1, or below 5 in more than a fifth of the cells (W. G. Cochran,
    Biometrics 10, 1954); with noise, below 5 in any, and then there is no `p`.
    """
    counts = np.maximum(counts, 0)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return Association(reason="empty")
    n = float(counts.sum())
    rows, columns = counts.sum(axis=1) / n, counts.sum(axis=0) / n
    expected = n * np.outer(rows, columns)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    df = (len(rows) - 1) * (len(columns) - 1)
    more, squares = _inflation(rows, columns, noise / expected)  # a zero may be a small count, so it has noise too
    scale = (df + 2 * more + squares) / (df + more)
    chi2, of = statistic / scale, (df + more) / scale
    sparse = bool((expected < 1).any() or (expected < 5).mean() > (0 if noise else 0.2))
    p = None if noise and sparse else chi_square_tail(chi2, of)
    return Association(chi2, of, p, cramers_v(statistic - more, n, counts.shape), sparse)


def _inflation(rows: Counts, columns: Counts, scaled: Counts) -> tuple[float, float]:
    """tr(PD) and tr(PDPD) of P = A ⊗ B and D the diagonal matrix of `scaled`, the variances v / E of the scaled noise."""
    a, b = (np.eye(len(shares)) - np.sqrt(np.outer(shares, shares)) for shares in (rows, columns))
    more = float((np.diagonal(a)[:, None] * scaled * np.diagonal(b)[None, :]).sum())
    return more, float((scaled * (a**2 @ scaled @ b**2)).sum())


def cramers_v(statistic: float, n: float, shape: tuple[int, ...]) -> float:
    """Cramér's V without its upward bias: 0 where no more association is seen than chance makes.

    W. Bergsma, A bias-correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical Society 42 (2013).
    """
    r, c = shape
    if n <= 1:
        return 0.0
    phi2 = max(statistic / n - (r - 1) * (c - 1) / (n - 1), 0.0)
    smaller = min(side - (side - 1) ** 2 / (n - 1) for side in (r, c)) - 1
    return min(sqrt(phi2 / smaller), 1.0) if smaller > 0 else 0.0


def chi_square_tail(x: float, df: float) -> float:
    """The probability that a chi-square with `df` degrees of freedom (not necessarily whole) exceeds x.

    The regularised upper incomplete gamma function at df / 2: its series below the mean, Legendre's continued fraction by
    Lentz's method above (Press et al., Numerical Recipes, 3rd ed., 2007, 6.2).
    """
    a, z = df / 2, x / 2
    if z <= 0:
        return 1.0
    front = exp(a * log(z) - z - lgamma(a))
    if z < a + 1:
        term = total = 1 / a
        step = a
        while term > total * 1e-16:
            step += 1
            term *= z / step
            total += term
        return max(1.0 - front * total, 0.0)
    tiny = 1e-300
    b = z + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for i in range(1, 10_000):
        an, b = -i * (i - a), b + 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return min(front * fraction, 1.0)
