"""Every format says the same of the same edition: two that differed would be two draws of its noise."""

from __future__ import annotations

import pytest

from tests.attacks.formats import everything
from tests.builders.small_survey import crowd, released


@pytest.mark.parametrize("seed", [5, 8])
def test_every_format_in_every_language_says_the_same_of_the_same_state(seed: int) -> None:
    shown = everything(released(crowd(seed, 300), 100, 200))
    assert len({one.where for one in shown}) > 20
    revisions = {one.state.partition(" ")[0] for one in shown}
    assert revisions == {"3"}
    assert len({one.state for one in shown if " " in one.state}) == 1
    for code in {one.code for one in shown}:
        same = [one for one in shown if one.code == code]
        assert len({one.n for one in same}) == 1, same
        shares = [(one.share, one.slack) for one in same if one.share is not None]
        assert all(abs(share - shares[0][0]) <= slack for share, slack in shares), same
