"""What `platea survey check` advises about the protection that a questionnaire asks for. Pure."""

from __future__ import annotations

from proto.instrument import Policy

_NAMES = ("minimum", "batch", "max_noise", "variance")


def weaker(policy: Policy) -> list[str]:
    """Where a policy protects less than the default, in words: "minimum 1 instead of 10"."""
    usual = Policy()
    return [
        f"{name} {getattr(policy, name):g} instead of {getattr(usual, name):g}"
        for name in _NAMES
        if getattr(policy, name) < getattr(usual, name)
    ]
