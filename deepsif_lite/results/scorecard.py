"""The paper's number, ours, the tolerance and the verdict.

The paper's numbers are rows of ``data/paper_values.csv``, each with the place in the
paper where it stands. Ours are the scores that chapters wrote with
:func:`deepsif_lite.results.write_scores`. What has not been run is said to be so.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ..paths import data_dir, results_dir

if TYPE_CHECKING:
    import pandas as pd

NOT_RUN = "not run"
NOT_JUDGED = "not judged"  # ours comes from a virtual subject


def paper_values() -> pd.DataFrame:
    """Return the paper's numbers, indexed by id.

    Columns: ``group``, ``quantity``, ``value``, ``sd``, ``unit``, ``better``
    (``higher``, ``lower`` or ``equal``), ``tolerance`` (in the same unit) and
    ``source``, the place in Sun et al. 2022.
    """
    import pandas as pd

    return pd.read_csv(data_dir() / "paper_values.csv", index_col="id")


def our_scores(profile: str) -> pd.DataFrame:
    """Return the scores of all chapters run at this profile, indexed by id.

    Columns: ``value``, ``sd``, ``data``, ``chapter``; empty when none has run.
    """
    import pandas as pd

    rows = []
    for path in sorted(results_dir(profile).glob("scores-*.json")):
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


def load_scorecard(profile: str) -> pd.DataFrame:
    """Return the whole scorecard of a run.

    Columns: those of :func:`paper_values` plus ``ours``, ``ours_sd``, ``data``,
    ``chapter`` and ``verdict``.
    """
    table = paper_values()
    ours = our_scores(profile)
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
    parts = []
    for group, rows in table.groupby("group", sort=False):
        lines = [
            f"## {group}",
            "",
            "| quantity | paper | ours | tolerance | verdict | where in the paper |",
            "| :-- | --: | --: | --: | :-- | :-- |",
        ]
        for row in rows.itertuples():
            unit = f" ({row.unit})" if isinstance(row.unit, str) else ""
            cells = [
                row.quantity + unit,
                _number(row.value, row.sd),
                _number(row.ours, row.ours_sd),
                f"{row.tolerance:g}",
                _badge(row.verdict),
                row.source,
            ]
            lines.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
