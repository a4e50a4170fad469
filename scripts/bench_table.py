"""Prints the rows of a folder of Google Benchmark's JSON reports as one table.

The verdict: "short" of what a row must reach, "inexact" where its error is too large, else "pass".
"""
import json
import pathlib
import sys


def seconds(t):
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if t >= size:
            return f"{t / size:.3g} {unit}"
    return f"{t * 1e6:.3g} us"


def target(row):
    if row["must_ratio"]:
        return f"{row['must_ratio']:.3g}x"
    return seconds(row["must_s"]) if row["must_s"] else "-"


def verdict(row):
    reached = row["ratio"] >= row["must_ratio"] and row["ours_s"] <= (row["must_s"] or row["ours_s"])
    failings = ["short"] * (not reached) + ["inexact"] * (not row["error"] <= row["must_error"])
    return ", ".join(failings) or "pass"


def cells(row):
    if row.get("error_occurred"):
        return [row["name"], "failed: " + row["error_message"]]
    name = row["name"].split("/iterations:")[0]
    return [name, seconds(row["ours_s"]), seconds(row["baseline_s"]), row["label"], f"{row['ratio']:.3g}x", target(row),
            f"{row['error']:.1e}", f"{row['must_error']:.1e}", str(row["iterations"]), verdict(row)]


def main(folder):
    table = [["row", "ours", "baseline", "which is", "measured", "must reach", "error", "at most", "rounds", "verdict"]]
    for path in sorted(folder.glob("*.json")):
        if path.stat().st_size:
            table += [cells(row) for row in json.loads(path.read_text())["benchmarks"]]
    widths = [max(len(row[i]) for row in table if i < len(row) > 2) for i in range(len(table[0]))]
    for row in table:
        print("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
