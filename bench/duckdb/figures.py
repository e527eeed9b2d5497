"""What DuckDB takes to count the figures of bench/src/figures.rs, from a table of its own.

figures.py FILE FROM UNTIL ROUNDS: loads the cases of a Parquet file, then counts; prints JSON.
"""

import json
import sys
import time

import duckdb

NEVER = 2**32 - 1

QUESTION = f"""
    SELECT area,
           COUNT(*),
           COUNT(*) FILTER (WHERE handled <= due),
           MEDIAN(handled - dispatched)
    FROM cases
    WHERE reported >= ? AND reported < ? AND handled <> {NEVER} AND dispatched <> {NEVER}
    GROUP BY area
    ORDER BY area
"""


def main() -> None:
    file, since, until, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    database = duckdb.connect()
    began = time.perf_counter()
    # The same widths as the columns that it is compared with.
    database.execute(
        """CREATE TABLE cases AS
           SELECT area::USMALLINT AS area, reported::UINTEGER AS reported, dispatched::UINTEGER AS dispatched,
                  handled::UINTEGER AS handled, due::UINTEGER AS due
           FROM read_parquet(?)""",
        [file],
    )
    loaded = time.perf_counter() - began
    times, rows = [], database.execute(QUESTION, [since, until]).fetchall()
    for _ in range(rounds):
        began = time.perf_counter()
        rows = database.execute(QUESTION, [since, until]).fetchall()
        times.append(time.perf_counter() - began)
    print(json.dumps({"version": duckdb.__version__, "loaded": loaded, "times": times, "rows": rows}))


main()
