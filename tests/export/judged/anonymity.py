"""Asks pycanon for k, l and t of tables; runs in the environment of the judges. JSON in, JSON out.

In: `{"tables": [{"csv": path, "identifiers": [...], "sensitive": {name: [codes]}}]}`. Cells are text, so that every code is a value.
Out, for each table: `{"k": …, "l": {name: …}, "t": {name: …}}`. With codes after a sensitive variable, l is that of the classes that gave
another answer than these, null where none did.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas as pd
from pycanon import anonymity


def judge(table: dict[str, Any]) -> dict[str, Any]:
    frame = pd.read_csv(table["csv"], dtype=str, keep_default_na=False)
    identifiers = table["identifiers"]
    variety: dict[str, int | None] = {}
    distance: dict[str, float] = {}
    for name, harmless in table["sensitive"].items():
        narrow = frame[[*identifiers, name]]  # it copies the rows of each class: all columns would take ten times as long
        telling = ~frame[name].isin(harmless)
        among = narrow[telling.groupby([frame[each] for each in identifiers]).transform("any")].reset_index(drop=True)
        variety[name] = int(anonymity.l_diversity(among, identifiers, [name])) if len(among) else None
        distance[name] = float(anonymity.t_closeness(narrow, identifiers, [name]))
    return {"k": int(anonymity.k_anonymity(frame, identifiers)), "l": variety, "t": distance}


if __name__ == "__main__":
    print(json.dumps([judge(table) for table in json.load(sys.stdin)["tables"]]))
