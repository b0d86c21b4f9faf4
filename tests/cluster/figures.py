"""What the tests measured: told at the end of the run, and kept in a JSON file."""

import json
import os
import pathlib
import statistics

from harness import ROOT

PATH = pathlib.Path(os.environ.get("CLUSTER_TESTS_FIGURES", ROOT / "target/cluster-figures.json"))
measured = {}


def record(name, **values):
    """Keeps figures under a name."""
    measured[name] = values
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(measured, indent=1) + "\n")


def spread(seconds):
    """Median, 99th percentile and worst of durations, in milliseconds."""
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "median_ms": round(1000 * statistics.median(ordered), 2),
        "p99_ms": round(1000 * ordered[int(0.99 * (len(ordered) - 1))], 2),
        "worst_ms": round(1000 * ordered[-1], 2),
    }


def lines():
    """One line a name."""
    return [f"{name}: " + ", ".join(f"{key}={value}" for key, value in values.items()) for name, values in measured.items()]
