"""Write what the page "What can be imaged" includes: the contract and its tables.

The contract is the notes of :func:`deepsif_lite.recordings.prepare`. The table is
measured and stored by ``make contract``; a test holds it against the library. The
others are stored by the benchmarks that the page names.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pandas as pd
from numpydoc.docscrape import FunctionDoc

from deepsif_lite.evaluation import METRICS
from deepsif_lite.recordings import prepare
from deepsif_lite.results import read_experiment

TABLE = Path(__file__).with_name("contract.csv")
DISTANCES = {"deepsif_mm": "DeepSIF (mm)", "sloreta_mm": "sLORETA (mm)"}
LIMIT = "limit"
VERDICTS = ("imaged", "repaired", "noticed", "refused", LIMIT)
RUNS = {
    "simulate": "`deepsif-lite simulate`",
    "train": "`deepsif-lite train`",
    "build": "`deepsif-lite build variants`",
    "chapter": "`make run`",
}
PRICED = ("electrodes", "channels lost")
LOST = re.compile(r"(\d+%) of (\d+)")  # how the experiment names lost channels
SHORT = {"correlation": "correlation", "error_mm": "error (mm)"}  # room on a phone
RISE = "rises through the window"
OF_TRUST = {"images": "images", "wrong": "share more than 20 mm off"}
OF_GAPS = {
    "recordings": "recordings",
    "predicted": "predicted",
    "observed": "observed",
    "largest_gap": "difference",
    "standard_error": "standard error",
}
OF_RUNS = {
    "times": "runs",
    "killed": "killed",
    "same": "same files",
    "orphans": "processes left",
}


def contract() -> str:
    """Return the contract as MyST."""
    notes = inspect.cleandoc("\n".join(FunctionDoc(prepare)["Notes"]))
    return (
        f"```{{eval-rst}}\n.. currentmodule:: deepsif_lite.recordings\n\n{notes}\n```\n"
    )


def tables() -> str:
    """Return the measured rows as MyST: of each kind of input a table that opens."""
    parts = []
    for kind, rows in _rows().groupby("kind", sort=False):
        shown = pd.DataFrame({"input": rows["input"]})
        said = rows["said"].map(_shown)
        shown["verdict"] = rows["verdict"].str.cat(said.where(said == "", ": " + said))
        shown = shown.join(rows[[*DISTANCES]].rename(columns=DISTANCES))
        table = shown.to_markdown(
            index=False,
            disable_numparse=True,
            colalign=("left", "left", "right", "right"),
        )
        counts = _counts(rows).loc[lambda counts: counts > 0]
        title = ", ".join(f"{n} {name}" for name, n in counts.items())
        parts.append(
            f"({_target(kind)})=\n### {kind.capitalize()}\n\n"
            f":::{{dropdown}} {title}\n:class-container: rows\n\n{table}\n:::\n"
        )
    return "\n".join(parts)


def summary() -> str:
    """Return how many inputs got which verdict, as a MyST table by kind."""
    rows = _rows()
    table = pd.DataFrame(
        {
            f"[{kind}](#{_target(kind)})": _counts(part)
            for kind, part in rows.groupby("kind", sort=False)
        }
    )
    table["**all**"] = _counts(rows)
    shown = table.T.rename_axis("inputs").to_markdown()
    return f"{len(rows)} inputs got these verdicts:\n\n{_narrow(shown)}"


def _rows() -> pd.DataFrame:
    return pd.read_csv(TABLE, dtype=str, keep_default_na=False)


def _narrow(table: str) -> str:
    """Return a table with less space between its columns on a phone."""
    return f":::{{table}}\n:class: narrow\n\n{table}\n:::\n"


def _target(kind: str) -> str:
    return f"rows-{kind.replace(' ', '-')}"


def _counts(rows: pd.DataFrame) -> pd.Series:
    """Return how many rows have each verdict."""
    return rows["verdict"].value_counts().reindex(VERDICTS, fill_value=0)


def prices() -> str:
    """Return what fewer electrodes and lost channels cost, as a MyST table."""
    rows = read_experiment("price_list")
    columns = ["condition", *METRICS, "missed"]
    table = rows.loc[rows["group"].isin(PRICED), columns].set_index("condition")
    table.index = table.index.str.replace(LOST, r"\2, \1 lost", regex=True)
    named = table.rename(columns=METRICS | SHORT).rename_axis("electrodes")
    return _narrow(named.to_markdown(floatfmt=".2f"))


def trust() -> str:
    """Return how often images of each verdict are wrong, as a MyST table."""
    rows = read_experiment("trust").astype({"seed": int, "images": int})
    keys = ["heads", "verdict", "seed"]
    table = rows.set_index(keys)[[*OF_TRUST]].rename(columns=OF_TRUST)
    return table.reset_index().to_markdown(index=False, floatfmt=".2f") + "\n"


def drifts() -> str:
    """Return when lines are taken for drifts, and what that does, as MyST."""
    rows = read_experiment("drifts")
    responses = rows.loc[rows["drift_uv"] == 0, "taken"].max()
    whole = rows.groupby("drift_uv")["taken"].min().eq(1)
    least = whole[::-1].cumprod()[::-1].astype(bool).idxmax()  # from here on, always
    rises = rows["response"].eq(RISE)
    strong = rows[rows["drift_uv"].ge(least) & ~rises]
    lost = rows.loc[rows["drift_uv"].ge(least) & rises, "sloreta_library_mm"].min()
    before, after = strong["sloreta_as_it_is_mm"], strong["sloreta_library_mm"]
    return (
        f"- of responses without drifts, {responses:.0%} were taken for one;\n"
        f"- where electrodes drift by {least:.0f} µV (standard deviation) or more, lines "
        "are always taken away, and the image of sLORETA comes back from "
        f"{before.min():.0f} mm or more beside the source to {after.max():.1f} mm or "
        "less, of brief and slow responses alike;\n"
        f"- a rise is lost among such drifts, with lines or without ({lost:.0f} mm);\n"
        "- between, a line may hold a part of the response: it is kept and noticed.\n"
    )


def gaps() -> str:
    """Return the largest gap between probability and truth, as a MyST table."""
    rows = read_experiment("calibration").set_index("recordings_of")[[*OF_GAPS]]
    rows = rows.rename(columns=OF_GAPS).rename_axis("of")
    return _narrow(rows.to_markdown(floatfmt=("", ".0f", *[".3f"] * len(OF_GAPS))))


def kills() -> str:
    """Return what came of long runs that were killed, as a MyST table."""
    rows = read_experiment("kill_and_resume")
    rows = rows.assign(same=rows["differ"].isna())
    table = rows.groupby("run", sort=False).agg(
        times=("run", "size"),
        killed=("killed", "sum"),
        same=("same", "sum"),
        orphans=("orphans", "sum"),
    )
    table = table.rename(index=RUNS, columns=OF_RUNS).rename_axis("command")
    return _narrow(table.to_markdown(disable_numparse=True))


def _shown(expression: str) -> str:
    """Return a regular expression as a reader sees it."""
    plain = expression.replace(".*", " … ").replace("|", " or ").replace("\\", "")
    return f"`{plain}`" if plain else ""


def write(folder: Path) -> None:
    """Write the parts that the page includes."""
    folder.joinpath("contract.md").write_text(contract())
    folder.joinpath("contract_summary.md").write_text(summary())
    folder.joinpath("contract_table.md").write_text(tables())
    folder.joinpath("contract_kills.md").write_text(kills())
    folder.joinpath("contract_prices.md").write_text(prices())
    folder.joinpath("contract_trust.md").write_text(trust())
    folder.joinpath("contract_gaps.md").write_text(gaps())
    folder.joinpath("contract_drifts.md").write_text(drifts())
