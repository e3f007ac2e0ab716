"""What `platea survey check` advises about the protection that a questionnaire asks for. Pure."""

from __future__ import annotations

from proto.instrument import Policy

LEAST = 5
"""With less, a policy is refused: an answer or two would be seen to move the figures."""
_NAMES = ("minimum", "batch")


def weak(policy: Policy) -> list[str]:
    """Which limits of a policy protect nobody, where its author has not said that this is understood."""
    return [] if policy.i_understand_that_this_protects_nobody else [name for name in _NAMES if getattr(policy, name) < LEAST]


def weaker(policy: Policy) -> list[str]:
    """Where a policy protects less than the default, in words: "minimum 5 instead of 10"."""
    usual = Policy()
    lower = [
        f"{name} {getattr(policy, name):g} instead of {getattr(usual, name):g}"
        for name in _NAMES
        if getattr(policy, name) < getattr(usual, name)
    ]
    return [*lower, *(["figures that move with each batch"] if policy.i_understand_that_this_protects_nobody else [])]
