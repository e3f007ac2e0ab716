"""What `platea survey check` advises about the protection that a questionnaire asks for. Pure."""

from __future__ import annotations

from proto.instrument import Instrument, Policy, ShortText

LEAST = 5
"""With less, a policy is refused: an answer or two would be seen to move the figures."""
_NAMES = ("minimum", "batch")
LARGEST = 16.0
"""With a greater epsilon a guarantee promises nothing that is worth its name."""
SMALLEST = 0.1
"""With a smaller one there is nothing but noise."""
MOST_DELTA, LEAST_DELTA = 1e-4, 1e-12


def weak(policy: Policy) -> list[str]:
    """The limits of a policy that protect nobody, unless its author accepts that."""
    return [] if policy.i_understand_that_this_protects_nobody else [name for name in _NAMES if getattr(policy, name) < LEAST]


def incoherent(policy: Policy) -> list[tuple[str, str, str]]:
    """The faults of a policy with a guarantee: key, fault, advice."""
    if policy.name == "cell-key":
        stray = [name for name in ("epsilon", "delta") if getattr(policy, name) is not None]
        return [(name, f"{name} belongs to a policy with a guarantee", "name: differential-privacy") for name in stray]
    faults: list[tuple[str, str, str]] = []
    if policy.epsilon is None or not SMALLEST <= policy.epsilon <= LARGEST:
        what = "promises next to nothing" if policy.epsilon is not None and policy.epsilon > LARGEST else "leaves nothing but noise"
        message = "epsilon is missing" if policy.epsilon is None else f"epsilon {policy.epsilon:g} {what}"
        faults.append(
            ("epsilon", message, f"from {SMALLEST:g} to {LARGEST:g}; the smaller, the more is promised, and the more noise there is")
        )
    if policy.delta is None or not LEAST_DELTA <= policy.delta <= MOST_DELTA:
        message = "delta is missing" if policy.delta is None else f"delta {policy.delta:g} is out of bounds"
        faults.append(("delta", message, "from 1e-12 to 0.0001, and well below one in the number of respondents: 1e-6"))
    if policy.i_understand_that_this_protects_nobody:
        message = "a guarantee and figures that protect nobody exclude each other"
        faults.append(("i_understand_that_this_protects_nobody", message, "leave one of them out"))
    return faults


def weaker(policy: Policy) -> list[str]:
    """Where a policy protects less than the default, in words: "minimum 5 instead of 10"."""
    usual = Policy()
    lower = [
        f"{name} {getattr(policy, name):g} instead of {getattr(usual, name):g}"
        for name in _NAMES
        if getattr(policy, name) < getattr(usual, name)
    ]
    return [*lower, *(["figures that move with each batch"] if policy.i_understand_that_this_protects_nobody else [])]


def recognisable(instrument: Instrument) -> list[str]:
    """The questions that ask for a mail address or a telephone number, and would be released after review."""
    return [
        question.id
        for question in instrument.questions
        if isinstance(question, ShortText) and question.pattern in ("email", "telephone") and question.privacy.role != "identifying"
    ]
