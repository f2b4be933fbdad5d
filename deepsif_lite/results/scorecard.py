"""The paper's number, ours, the tolerance and the verdict.

The paper's numbers are rows of ``data/paper_values.csv``, each with the place in the
paper where it stands. Ours are the scores that chapters wrote with
:func:`deepsif_lite.results.write_scores`. What has not been run is said to be so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..artifacts import read_shipped_table
from ..paths import results_dir

if TYPE_CHECKING:
    import pandas as pd

# Words of the ids for metrics that have another name in the code.
_WORDS = {
    "error_mm": "le",
    "spatial_dispersion": "dispersion",
    "harmonic_mean": "harmonic",
    "geometric_mean": "geometric",
}
NOT_RUN = "not run"
NOT_JUDGED = "not judged"  # ours comes from a virtual subject


def paper_values() -> pd.DataFrame:
    """Return the paper's numbers, indexed by id.

    Columns: ``group``, ``quantity``, ``value``, ``sd``, ``unit``, ``better``
    (``higher``, ``lower`` or ``equal``), ``tolerance`` (in the same unit) and
    ``source``, the place in Sun et al. 2022.
    """
    return read_shipped_table("paper_values.csv", index_col="id")


def paper_key(metric: str, by: object = "all", group: str = "sim") -> str:
    """Return the id of a metric in :func:`paper_values`.

    Parameters
    ----------
    metric : str
        Its name in the code, of :data:`deepsif_lite.evaluation.METRICS` or
        :func:`deepsif_lite.metrics.score_resection`.
    by : object
        The number of sources, a method, or ``"all"``.
    group : {"sim", "patients"}
        Synthetic test sets or patients.

    Examples
    --------
    >>> paper_key("error_mm", 2)
    'sim/le/2'
    """
    return f"{group}/{_WORDS.get(metric, metric)}/{by}"


def paper_table(
    metrics: Sequence[str], by: Sequence, group: str = "sim"
) -> pd.DataFrame:
    """Return the paper's means and standard deviations of several metrics.

    Parameters
    ----------
    metrics, by, group
        As for :func:`paper_key`, several each.

    Returns
    -------
    DataFrame
        One row each of ``by``, two columns a metric, ``<metric>`` and
        ``<metric>_sd``; NaN where the paper gives no number.
    """
    import pandas as pd

    paper = paper_values()
    columns = {}
    for metric in metrics:
        rows = paper.reindex([paper_key(metric, one, group) for one in by])
        columns[metric], columns[f"{metric}_sd"] = rows.value.array, rows.sd.array
    return pd.DataFrame(columns, index=list(by))


def our_scores(profile: str, folder: Path | None = None) -> pd.DataFrame:
    """Return the scores that chapters wrote, indexed by id.

    Parameters
    ----------
    profile : str
        Which run they belong to.
    folder : path | None
        Where they lie; by default where chapters write at this profile.

    Returns
    -------
    DataFrame
        Columns ``value``, ``sd``, ``data``, ``chapter``; empty when none has run.
    """
    import pandas as pd

    rows = []
    folder = results_dir(profile) if folder is None else folder
    for path in sorted(folder.glob("scores-*.json")):
        stored = json.loads(path.read_text())
        facts = {"data": stored["data"], "chapter": stored["chapter"]}
        rows += [{"id": k, **v, **facts} for k, v in stored["scores"].items()]
    columns = ["id", "value", "sd", "data", "chapter"]
    return pd.DataFrame(rows, columns=columns).set_index("id")


def verdict(paper: float, ours: float, better: str, tolerance: float) -> str:
    """Judge one number: ``"met"``, or by how much it falls short.

    Parameters
    ----------
    paper, ours : float
        The two numbers, in one unit; NaN means that ours was not run.
    better : {"higher", "lower", "equal"}
        Which direction is an improvement; beyond the paper always counts as met.
    tolerance : float
        How far behind still counts as met.
    """
    if math.isnan(ours):
        return NOT_RUN
    behind = {
        "higher": paper - ours,
        "lower": ours - paper,
        "equal": abs(ours - paper),
    }[better]
    # A hair of slack: 0.88 - 0.83 is a bit more than 0.05 in floating point.
    if behind <= tolerance + 1e-9:
        return "met"
    return f"short by {behind:,.0f}" if behind >= 1000 else f"short by {behind:.2g}"


def load_scorecard(profile: str, folder: Path | None = None) -> pd.DataFrame:
    """Return the whole scorecard of a run; arguments as for :func:`our_scores`.

    Columns: those of :func:`paper_values` plus ``ours``, ``ours_sd``, ``data``,
    ``chapter`` and ``verdict``.
    """
    table = paper_values()
    ours = our_scores(profile, folder)
    table["ours"], table["ours_sd"] = ours["value"], ours["sd"]
    table["data"], table["chapter"] = ours["data"], ours["chapter"]
    table["verdict"] = [
        NOT_JUDGED
        if row.data == "virtual"
        else verdict(row.value, row.ours, row.better, row.tolerance)
        for row in table.itertuples()
    ]
    return table


def _number(value: float, sd: float) -> str:
    if math.isnan(value):
        return "–"
    is_whole = abs(value) >= 100 or (math.isnan(sd) and value == round(value))
    text = f"{value:,.0f}" if is_whole else f"{value:.2f}"
    # No-break spaces keep a number on one line.
    return text if math.isnan(sd) else f"{text}\u00a0±\u00a0{sd:.2f}"


def _badge(text: str) -> str:
    """Color a verdict (a role of sphinx-design); the word says it as well."""
    kinds = {"met": "success", "short": "warning", "not": "secondary"}
    return f"{{bdg-{kinds[text.split()[0]]}}}`{text}`"


def count_verdicts(table: pd.DataFrame, profile: str) -> str:
    """Return one sentence: how many numbers are met, short, not run, not judged."""
    words = table["verdict"].str.split(" by ").str[0]
    counts = words.value_counts()
    order = ["met", "short", NOT_JUDGED, NOT_RUN]
    parts = [f"**{counts.get(word, 0)}** {word}" for word in order]
    return (
        f"Profile `{profile}`: of {len(table)} numbers of the paper, "
        + ", ".join(parts)
        + ".\n"
    )


def to_markdown(table: pd.DataFrame) -> str:
    """Return the scorecard as Markdown, one table a group."""
    from .._lazy import import_optional

    import_optional("tabulate", "book", "A table in Markdown")
    return "\n\n".join(
        f"## {group}\n\n{_group_markdown(rows)}"
        for group, rows in table.groupby("group", sort=False)
    )


def _group_markdown(rows: pd.DataFrame) -> str:
    import pandas as pd

    units = [f" ({unit})" if isinstance(unit, str) else "" for unit in rows["unit"]]
    shown = pd.DataFrame(
        {
            "quantity": rows["quantity"] + units,
            "paper": list(map(_number, rows["value"], rows["sd"])),
            "ours": list(map(_number, rows["ours"], rows["ours_sd"])),
            "tolerance": rows["tolerance"].map("{:g}".format),
            "verdict": rows["verdict"].map(_badge),
            "where in the paper": rows["source"],
        }
    )
    align = ("left", "right", "right", "right", "left", "left")
    return shown.to_markdown(index=False, colalign=align, disable_numparse=True) + "\n"
