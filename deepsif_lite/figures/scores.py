"""How scores depend on a condition, areas, and what came of forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import (
    PAPER_COLOR,
    check_ax,
    log_scale,
    method_color,
    method_name,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


@styled
def plot_strata(
    table: pd.DataFrame,
    metric: str,
    by: str,
    *,
    bins: ArrayLike | None = None,
    xlabel: str = "",
    ylabel: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Show how a metric depends on a condition: mean, with its quartiles shaded.

    Parameters
    ----------
    table : DataFrame
        One row a source (or sample) with columns ``method``, ``metric`` and ``by``.
    metric, by : str
        Column shown and column of the condition (noise level, depth, distance).
    bins : array of edges | None
        Groups a continuous condition; default: its distinct values.
    xlabel, ylabel : str
        Axis texts with units.
    log : bool
        Make the axis of the metric logarithmic.
    ax : Axes | None
        Where to draw.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    fig, ax = check_ax(ax, (3.4, 2.6))
    for method in dict.fromkeys(table["method"]):
        rows = table.loc[table["method"] == method, [by, metric]].dropna()
        group = rows[by]
        if bins is not None:
            edges = np.asarray(bins, float)
            middle = (edges[1:] + edges[:-1]) / 2
            where = np.digitize(group, edges) - 1
            keep = (where >= 0) & (where < len(middle))
            rows, group = rows[keep], middle[where[keep]]
        summary = rows[metric].groupby(np.asarray(group)).describe()
        color = method_color(method)
        ax.fill_between(
            summary.index, summary["25%"], summary["75%"], color=color, alpha=0.14, lw=0
        )
        ax.plot(summary.index, summary["mean"], "o-", ms=3.5, color=color)
        ax.plot([], [], "o-", ms=3.5, color=color, label=method_name(method))
    ax.set(xlabel=xlabel or by, ylabel=ylabel or metric)
    if log:
        log_scale(ax, "y")
    ax.legend()
    return fig, ax


@styled
def plot_area(
    simulated: ArrayLike,
    estimated: ArrayLike,
    *,
    ax: Axes | None = None,
    method: str = "deepsif",
) -> tuple[Figure, Axes]:
    """Estimated against simulated source area with their correlation (PNAS Fig. 3C).

    Parameters
    ----------
    simulated, estimated : array of shape (n,)
        Areas in cm^2; pairs with a NaN are left out. Estimates beyond twice the
        largest simulated area are drawn as triangles at the upper edge.
    ax : Axes | None
        Where to draw.
    method : str
        Whose color to use.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    fig, ax = check_ax(ax, (2.9, 2.7))
    x, y = np.asarray(simulated, float), np.asarray(estimated, float)
    keep = np.isfinite(x) & np.isfinite(y)
    x, y = x[keep], y[keep]
    top = float(x.max(initial=0)) * 2 or 1.0
    color, beyond = method_color(method), y > top
    ax.scatter(x[~beyond], y[~beyond], s=9, alpha=0.35, lw=0, color=color)
    edge = np.full(beyond.sum(), top * 0.985)
    ax.scatter(x[beyond], edge, s=9, alpha=0.35, lw=0, color=color, marker="^")
    ax.plot([0, top], [0, top], color=PAPER_COLOR, lw=0.8, ls="--")
    r = np.corrcoef(x, y)[0, 1] if len(x) > 2 else np.nan
    ax.set_title(f"{method_name(method)}: r = {r:.2f}, n = {len(x)}")
    ax.set(
        xlim=(0, top),
        ylim=(0, top),
        aspect="equal",
        xlabel="simulated area (cm$^2$)",
        ylabel="estimated area (cm$^2$)",
    )
    return fig, ax


@styled
def plot_reliability(tables: Mapping[str, pd.DataFrame]) -> tuple[Figure, Axes]:
    """Draw what came true against what was forecast.

    Parameters
    ----------
    tables : mapping of name to DataFrame
        Of :func:`deepsif_lite.evaluation.reliability`.

    Returns
    -------
    fig, ax : Figure and Axes
        The gray diagonal is a forecaster that is right.
    """
    fig, ax = check_ax(None, (5.2, 3))
    ax.plot([0, 1], [0, 1], color=PAPER_COLOR, lw=0.9, ls="--")
    for name, table in tables.items():
        ax.plot(table.predicted, table.observed, "o-", ms=3.5, lw=1, label=name)
    ax.set(
        xlabel="probability given",
        ylabel="share that was active",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        aspect="equal",
    )
    ax.legend(title="sources", loc="upper left", bbox_to_anchor=(1, 1))
    return fig, ax
