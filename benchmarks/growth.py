"""How CPU time and memory of the default fit grow with cells and with counts per cell: this build, and another one.

    python benchmarks/growth.py [--old WORKTREE]      # some minutes of CPU time

Simulated counts in memory, one thread, one run per size in a process of its own that is warmed up first (as
`fit.py`): 10,000 to 80,000 cells x 40,000 peaks with 500 counts each, and 20,000 cells with 250 to 2,000 counts each.
CPU seconds, which a busy machine lengthens but does not order anew; `scale.py` measures seconds of a quiet machine, for
larger and streamed data. Writes benchmarks/results/growth.csv and docs/figures/growth.png, and prints the exponents:
the slopes of log time and log memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from fit import measure
from scale import write_counts

HERE = Path(__file__).resolve().parent
RESULTS, FIGURE = HERE / "results" / "growth.csv", HERE.parent / "docs" / "figures" / "growth.png"
PEAKS = 40_000
PARTS = {
    "cells": [(n, 500) for n in (10_000, 20_000, 40_000, 80_000)],
    "per_cell": [(20_000, n) for n in (250, 500, 1_000, 2_000)],
}
NAMES = {"cells": "cells", "per_cell": "counts per cell", "cpu_s": "CPU seconds", "mb_above": "MiB above the start"}


def exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Return the slopes of log time and log memory over the log of what grows."""
    rows = []
    for (part, engine), own in table.groupby(["part", "engine"], sort=False):
        slopes = {c: np.polyfit(np.log(own[part].astype(float)), np.log(own[c]), 1)[0] for c in ("cpu_s", "mb_above")}
        rows.append({"grows": part, "engine": engine, **slopes})
    return pd.DataFrame(rows).round(2)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw time and memory over what grows, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    fits = exponents(table).set_index(["grows", "engine"])
    fig, axes = plt.subplots(2, 2, figsize=(8, 6), layout="constrained", sharey="row")
    for axis, (part, sizes) in zip(axes.T, PARTS.items(), strict=True):
        values = [size[0 if part == "cells" else 1] for size in sizes]
        for ax, column in zip(axis, ("cpu_s", "mb_above"), strict=True):
            for i, (engine, own) in enumerate(table[table["part"] == part].groupby("engine", sort=False)):
                name = {"new": "this build", "old": "release 0.1"}.get(engine, engine)
                ax.plot(
                    own[part], own[column], "o-", color=f"C{i}", label=f"{name}: {fits.loc[(part, engine), column]:.2f}"
                )
            ax.set(xscale="log", yscale="log", xlabel=NAMES[part])
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.set_xticks(values, [f"{value:,}" for value in values])
            ax.legend(title="exponent", fontsize=8, title_fontsize=8)
    for ax, column in zip(axes[:, 0], ("cpu_s", "mb_above"), strict=True):
        ax.set_ylabel(NAMES[column])
        ticks = [2, 5, 10, 20, 50] if column == "cpu_s" else [100, 200, 400, 800]
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_yticks(ticks, [str(tick) for tick in ticks])
    fig.savefig(path, dpi=100)


def main() -> None:
    """Measure, print, store and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, help="folder of another build (a git worktree)")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    args = parser.parse_args()
    engines = {"new": (sys.executable, HERE.parent)}
    if args.old is not None:
        engines["old"] = (sys.executable, args.old.resolve())
    rows = []
    for part in args.only:
        for cells, per_cell in PARTS[part]:
            with tempfile.TemporaryDirectory(prefix="sccase_kit_growth_") as folder:
                path = write_counts(Path(folder) / "counts.h5ad", cells, PEAKS, per_cell)
                for engine, found in measure(engines, path, 1).items():
                    rows.append({"part": part, "per_cell": per_cell, "engine": engine, **found})
                    print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    if RESULTS.exists():
        table = pd.concat([table, pd.read_csv(RESULTS)]).drop_duplicates(["part", "cells", "per_cell", "engine"])
    table = table.sort_values(["part", "engine", "cells", "per_cell"], ignore_index=True)
    table.to_csv(RESULTS, index=False, float_format="%.4g")
    print(exponents(table).to_string(index=False))
    if set(PARTS) <= set(table["part"]):
        draw(table, FIGURE)


if __name__ == "__main__":
    main()
