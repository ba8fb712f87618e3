#!/usr/bin/env python3
"""Makes the logs and rows of this folder: what an engine answers to the statement of `paring usage sql` over these logs.

  python3 testdata/query/make.py target/release/paring

The records are those of scripts/compare_engines.py, the rows what DuckDB gives (its Python package is needed); `null` is NULL.
"""

import json, pathlib, subprocess, sys

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))
import compare_engines

paring = pathlib.Path(sys.argv[1]).resolve()
records = [{k: v for k, v in record.items() if v is not None} for record in compare_engines.records(160, 3)]
log = HERE / "logs" / "111122223333_CloudTrail_us-east-1_20261115T0000Z_x.json"
log.parent.mkdir(exist_ok=True)
log.write_text(json.dumps({"Records": records}, separators=(",", ":")) + "\n")

sql = lambda *more: subprocess.run([paring, "usage", "sql", "--dialect", "duckdb", *more], check=True, capture_output=True, text=True).stdout
base = duckdb.connect(config={"threads": 1})
base.execute(sql("--ddl").replace("{path}", str(log)))
found = base.execute(sql())
columns = [column[0] for column in found.description]
rows = [[None if cell is None else str(cell) for cell in row] for row in found.fetchall()]
rows.sort(key=lambda row: [cell or "" for cell in row])
lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
(HERE / "rows.json").write_text(f'{{"columns":{json.dumps(columns)},\n"rows":[\n{lines}]}}\n')
