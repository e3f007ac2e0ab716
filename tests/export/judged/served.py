"""Lets DuckDB read a Parquet file over HTTP with its own extension; runs in the environment of the judges. JSON in, JSON out.

In: `{"url": …, "token": …, "column": …}`. Out: `{"rows": …, "counts": {value: rows}, "extensions": [...]}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import duckdb_extension_httpfs

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    (extension,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    database = duckdb.connect()
    database.load_extension(str(extension))
    database.execute(f"create secret (type http, bearer_token '{asked['token']}')")
    url, column = asked["url"], asked["column"]
    counts = dict(database.sql(f"select \"{column}\", count(*) from '{url}' group by 1").fetchall())
    (rows,) = database.sql(f"select count(*) from '{url}'").fetchone() or (0,)
    loaded = [name for (name,) in database.sql("select extension_name from duckdb_extensions() where loaded").fetchall()]
    print(json.dumps({"rows": rows, "counts": counts, "extensions": loaded}))
