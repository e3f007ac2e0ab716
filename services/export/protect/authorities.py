"""The public list of local authorities as a frame: their number per country, or per country × population band.

From `proto/reference/lau_2019_by_population_band.csv`: Eurostat, list of local administrative units 2019 (see the README beside it).
"""

from __future__ import annotations

import csv

import numpy as np

from services.export.protect.hierarchy import ValueHierarchy
from services.export.protect.refusal import Unprotectable
from services.export.protect.request import Frame

SOURCE = "Eurostat, EU-28 LAU 2019 - NUTS 2016"
COUNTRY, TOTAL, UNKNOWN = "alpha2", "lau_total", "population_unknown"
UNTOLD = -1


def authorities(text: str, hierarchies: tuple[ValueHierarchy, ...], country: int, band: int | None, least: int) -> Frame:
    """The frame for the variables `country` and, where it is asked, `band`. `text`: the table, as CSV.

    Countries that the survey does not know are left out; those that the table does not know count no authority.
    Raises Unprotectable where the bands of the survey are not those of the table.
    """
    lines = list(csv.DictReader(text.splitlines()))
    known = {value: code for code, value in enumerate(hierarchies[country].values)}
    lines = [line for line in lines if line[COUNTRY] in known]
    if band is None:
        codes, counts = [(known[line[COUNTRY]],) for line in lines], [int(line[TOTAL]) for line in lines]
        return Frame((country,), np.array(codes), np.array(counts), least, SOURCE)
    bands = {value: code for code, value in enumerate(hierarchies[band].values) if lines and value in lines[0]}
    if not bands:
        raise Unprotectable(f"The bands of {hierarchies[band].name} are not those of the public list of authorities.")
    cells = [(known[line[COUNTRY]], code, int(line[value] or 0)) for line in lines for value, code in bands.items()]
    cells += [(known[line[COUNTRY]], UNTOLD, int(line[UNKNOWN] or 0)) for line in lines]
    counted = np.array([cell for cell in cells if cell[2]], dtype=np.int64).reshape(-1, 3)
    return Frame((country, band), counted[:, :2], counted[:, 2], least, SOURCE)
