"""At which count a quota is said to be full: near its limit, and nobody without the key knows where."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from proto.instrument import Quota, Rule
from services.analysis.disclosure.quota_limits import BLUR, threshold

RULE = Rule(q="A1", op="in", value=("x",))


@given(st.binary(min_size=16, max_size=32), st.text("abc", min_size=1), st.integers(10, 10**6))
def test_asking_again_gives_the_same_and_stays_near_the_limit(secret: bytes, survey: str, limit: int) -> None:
    quota = Quota("q", RULE, limit, {"en": "Enough."})
    first = threshold(secret, survey, quota)
    assert abs(first - limit) <= BLUR
    assert threshold(secret, survey, quota) == first


def test_every_place_near_the_limit_is_as_likely() -> None:
    drawn = Counter(threshold(b"k" * 32, f"survey-{n}", Quota("q", RULE, 10, {})) - 10 for n in range(5000))
    assert set(drawn) == set(range(-BLUR, BLUR + 1))
    assert min(drawn.values()) > 850, "of 1,000 expected each; 28 is one standard deviation"
