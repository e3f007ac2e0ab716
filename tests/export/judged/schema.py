"""Holds XML files against an XML Schema; runs in the environment of the judges. JSON in, JSON out.

In: `{"schema": path, "documents": [path, …]}`. Out: for each document what is wrong with it.
"""

from __future__ import annotations

import json
import sys

from lxml import etree

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    schema = etree.XMLSchema(etree.parse(asked["schema"]))
    found: list[list[str]] = []
    for document in asked["documents"]:
        schema.validate(etree.parse(document))
        found.append([f"line {error.line}: {error.message}" for error in schema.error_log])
    print(json.dumps(found))
