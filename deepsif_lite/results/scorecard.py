"""The paper's number, ours, and what their standard errors allow to say.

The paper's numbers are rows of ``data/paper_values.csv``, each with the place in the
paper where it stands. Ours are the scores that chapters wrote with
:func:`deepsif_lite.results.write_scores`: of the network that was trained as the
paper's, and of the one for any cap. What has not been run is said to be so, and what
cannot be had, with the reason.
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
    "onset_zone_error": "onset_error",
    "onset_zone_average_error": "onset_average_error",
}
EQUAL, BETTER, BEHIND, DIFFERS = "equal", "better", "behind", "differs"
NOT_RUN = "not run"
NOT_JUDGED = "not judged"  # ours comes from a virtual subject, without an error
# Virtual patients are other people: like the paper's or not, but no better or worse.
ALIKE, UNLIKE = "virtual patients alike", "virtual patients differ"
NO_ERROR = "no standard error"
NO_VERDICT = "–"  # a size of the study, or words
UNAVAILABLE = "not available"
_RIGHT = ("paper", "trained as the paper's", "any cap", "ours", "two standard errors")
WITHIN = 2  # standard errors of the difference, within which two numbers are equal
_GROUPS_OF_VERDICTS = (
    BETTER,
    EQUAL,
    BEHIND,
    DIFFERS,
    ALIKE,
    UNLIKE,
    NO_ERROR,
    NOT_JUDGED,
    NOT_RUN,
    UNAVAILABLE,
)


def paper_values() -> pd.DataFrame:
    """Return the paper's numbers, indexed by id.

    Columns: ``group``, ``quantity``, ``value``, ``sd``, ``n`` (behind the mean),
    ``unit``, ``better`` (``higher``, ``lower``, ``equal``, or ``none`` for a size of
    the study, which is neither), ``text`` (where the paper has words, not a number),
    ``source``, the place in Sun et al. 2022, and ``note``: why ours cannot be had, or
    what to know of it.
    """
    table = read_shipped_table("paper_values.csv", index_col="id")
    words = ["unit", "text", "note"]
    return table.assign(**table[words].astype(object))


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
        Columns ``network`` (``"any cap"`` or ``"known head"``), ``value``, ``sd``,
        ``se``, ``n``, ``data``, ``chapter``; empty when none has run.
    """
    import pandas as pd

    rows = []
    folder = results_dir(profile) if folder is None else folder
    for path in sorted(folder.glob("scores-*.json")):
        stored = json.loads(path.read_text())
        facts = {"data": stored["data"], "chapter": stored["chapter"]}
        for part, network in (("scores", "any cap"), ("known_head", "known head")):
            scores = stored.get(part, {})
            rows += [
                {"id": k, "network": network, **v, **facts} for k, v in scores.items()
            ]
    columns = ["id", "network", "value", "sd", "se", "n", "data", "chapter"]
    table = pd.DataFrame(rows, columns=columns).set_index("id")
    numbers = ["value", "sd", "se", "n"]
    return table.assign(**table[numbers].astype(float))


def verdict(paper: float, ours: float, better: str, error: float) -> str:
    """Compare two numbers by the standard error of their difference.

    Parameters
    ----------
    paper, ours : float
        The two numbers, in one unit; NaN where there is none.
    better : {"higher", "lower", "equal", "none"}
        Which direction is an improvement; neither is for ``"equal"``, as for a method
        that is not ours, and ``"none"`` gets no verdict.
    error : float
        Standard error of the difference; NaN where that of ours is not known.

    Returns
    -------
    str
        ``"equal"`` within two standard errors; beyond them ``"better"``,
        ``"behind by ..."`` or ``"differs by ..."``.
    """
    if better == "none" or math.isnan(paper):
        return NO_VERDICT
    if math.isnan(ours):
        return NOT_RUN
    if math.isnan(error):
        return NO_ERROR
    gain = {"higher": ours - paper, "lower": paper - ours}.get(better)
    size = abs(ours - paper)
    if size <= WITHIN * error:
        return EQUAL
    if gain is not None and gain > 0:
        return BETTER
    return f"{DIFFERS if gain is None else BEHIND} by {size:.2g}"


def load_scorecard(profile: str, folder: Path | None = None) -> pd.DataFrame:
    """Return the whole scorecard of a run; arguments as for :func:`our_scores`.

    Columns: those of :func:`paper_values`; ``known``, ``known_sd`` of the network
    trained as the paper's and ``ours``, ``ours_sd`` of that for any cap; ``error``,
    the standard error of the difference to the paper's number; ``verdict``, of the
    network trained as the paper's where it was scored; ``verdict_any_cap``;
    ``data`` and ``chapter``.
    """
    table = paper_values()
    scores = our_scores(profile, folder)
    known = scores[scores["network"] == "known head"]
    ours = scores[scores["network"] == "any cap"]
    for name, part in (("known", known), ("ours", ours)):
        for column, of in (("", "value"), ("_sd", "sd"), ("_se", "se")):
            table[name + column] = part[of]
    for column in ("data", "chapter"):
        table[column] = known[column].reindex(table.index).fillna(ours[column])
    of_paper = (table["sd"] / table["n"].astype(float) ** 0.5).fillna(0)
    for name in ("known", "ours"):
        table[f"{name}_error"] = (table[f"{name}_se"] ** 2 + of_paper**2) ** 0.5
    table["verdict_any_cap"] = _verdicts(table, "ours")
    has_known = table["known"].notna()
    table["verdict"] = _verdicts(table, "known").where(
        has_known, table["verdict_any_cap"]
    )
    table["error"] = table["known_error"].where(has_known, table["ours_error"])
    return table.drop(columns=["known_se", "ours_se", "known_error", "ours_error"])


def _verdicts(table: pd.DataFrame, name: str) -> pd.Series:
    """Compare a column of ours with the paper's, row by row."""
    import pandas as pd

    def of_row(row) -> str:
        ours = row[name]
        if isinstance(row["note"], str) and math.isnan(ours):
            return UNAVAILABLE
        error = row[f"{name}_error"]
        if row["data"] == "virtual":
            return _of_virtual(row["value"], ours, error)
        return verdict(row["value"], ours, row["better"], error)

    return pd.Series([of_row(row) for _, row in table.iterrows()], table.index)


def _of_virtual(paper: float, ours: float, error: float) -> str:
    """Say whether virtual patients and the paper's have the same score."""
    found = verdict(paper, ours, "equal", error)
    if found == EQUAL:
        return ALIKE
    return found.replace(DIFFERS, UNLIKE) if found.startswith(DIFFERS) else NOT_JUDGED


def _number(value: float, sd: float = math.nan) -> str:
    if math.isnan(value):
        return "–"
    is_whole = abs(value) >= 100 or (math.isnan(sd) and value == round(value))
    text = f"{value:,.0f}" if is_whole else f"{value:.2f}"
    text = f"{value:.1g}" if 0 < abs(value) < 0.005 else text
    # No-break spaces keep a number on one line.
    return text if math.isnan(sd) else f"{text}\u00a0±\u00a0{sd:.2f}"


def _badge(text: str) -> str:
    """Color a verdict (a role of sphinx-design); the word says it as well."""
    kinds = {BETTER: "success", EQUAL: "success", BEHIND: "warning"}
    kind = kinds.get(text.split()[0], "secondary")
    return text if text == NO_VERDICT else f"{{bdg-{kind}}}`{text}`"


def count_verdicts(table: pd.DataFrame, profile: str) -> str:
    """Return one sentence: how many numbers got each verdict."""
    judged = table[table["verdict"] != NO_VERDICT]
    counts = judged["verdict"].str.split(" by ").str[0].value_counts()
    parts = [f"**{counts[k]}** {k}" for k in _GROUPS_OF_VERDICTS if k in counts]
    sizes = len(table) - len(judged)
    return (
        f"Profile `{profile}`: {len(table)} numbers and statements of the paper; "
        f"{sizes} are words or sizes of the study and carry no verdict; of the others, "
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
    paper = pd.Series(list(map(_number, rows["value"], rows["sd"])), rows.index)
    notes = [f"; {note}" if isinstance(note, str) else "" for note in rows["note"]]
    shown = pd.DataFrame(
        {
            "quantity": rows["quantity"] + units,
            "verdict": rows["verdict"].map(_badge),  # what a narrow page shows
            "paper": paper.where(rows["text"].isna(), rows["text"]),
            "trained as the paper's": list(
                map(_number, rows["known"], rows["known_sd"])
            ),
            "any cap": list(map(_number, rows["ours"], rows["ours_sd"])),
            "two standard errors": [_number(WITHIN * e) for e in rows["error"]],
            "where in the paper": rows["source"] + notes,
        }
    )
    if rows["known"].isna().all():
        shown = shown.drop(columns="trained as the paper's")
        shown = shown.rename(columns={"any cap": "ours"})
    if (rows["verdict"] == NO_VERDICT).all():
        shown = shown.drop(columns=["two standard errors", "verdict"])
    align = ["right" if name in _RIGHT else "left" for name in shown]
    return shown.to_markdown(index=False, colalign=align, disable_numparse=True) + "\n"
