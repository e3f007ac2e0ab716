"""Lets anonymeter attack released tables; runs in the environment of the judges. JSON in, JSON out.

In: `{"original": csv, "control": csv, "released": {name: csv}, "identifiers": [...], "further": [...], "secrets": [...], "seed": …,
"attacks": …}`. `original`: the answers that the released tables were made of; `control`: answers of others, who are in none. Cells are
text. Out: for each released table and attack `{"attacks": …, "success": share, "control": share, "risk": …, "interval": [low, high]}`.
The risk is what the attack gains beyond the control, as a share of what there was to gain, with its 95 % interval (Giomi and others, "A
unified framework for quantifying privacy risk in synthetic data", 2023).
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

os.environ["NUMBA_DISABLE_JIT"] = "1"  # compiling takes longer than all the attacks

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

COLUMNS = 4
"""Answers that somebody knows who tries to single out by several."""
TRIES = 20_000


def evaluated(asked: dict[str, Any], original: pd.DataFrame, control: pd.DataFrame, released: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    seed, attacks = asked["seed"], asked["attacks"]
    for mode in ("univariate", "multivariate"):
        single = SinglingOutEvaluator(original, released, attacks, COLUMNS, control, TRIES, seed)
        yield f"singling out, {mode}", single.evaluate(mode)
    np.random.seed(seed)  # noqa: NPY002 - the other two draw people from the global generator
    halves = asked["identifiers"], asked["further"]
    yield "linkability", LinkabilityEvaluator(original, released, halves, attacks, 1, control).evaluate(n_jobs=1)
    for secret in asked["secrets"]:
        guess = InferenceEvaluator(original, released, asked["identifiers"], secret, False, attacks, control)
        yield f"inference, {secret}", guess.evaluate(n_jobs=1)


def told(evaluator: Any) -> dict[str, Any]:
    found, risk = evaluator.results(), evaluator.risk()
    attacks = found.n_attacks_ori
    return {
        "attacks": int(attacks),
        "success": float(found.n_success / attacks),
        "control": float(found.n_control / attacks),
        "risk": float(risk.value),
        "interval": [float(bound) for bound in risk.ci],
    }


def table(path: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asked = json.load(sys.stdin)
    original, control = table(asked["original"]), table(asked["control"])
    answer = {
        name: {attack: told(found) for attack, found in evaluated(asked, original, control, table(path))}
        for name, path in asked["released"].items()
    }
    print(json.dumps(answer))
