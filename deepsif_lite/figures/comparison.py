"""Methods beside each other: distributions, boxes, and scores against a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .style import (
    PAPER_COLOR,
    WIDTH,
    log_scale,
    method_color,
    method_name,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_WHISKERS = (10, 90)  # percentiles, as the paper's figures
_STARS = ((0.005, "**"), (0.05, "*"))
_LOG = "(mm)"  # end of the label of what is drawn on a logarithmic axis
_LEAST = 0.3  # mm, on it
# Options of a filter for a patch rather than for one region.
_PATCHES = {"n_steps=1": "--", "n_steps=2": ":"}


def _grid(metrics: Mapping[str, str], height: float) -> tuple[Figure, NDArray]:
    """Make axes for the metrics, two or three a row."""
    import matplotlib.pyplot as plt

    n_columns = 2 if len(metrics) == 4 else min(len(metrics), 3)
    n_rows = -(-len(metrics) // n_columns)
    fig, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(WIDTH, height * n_rows),
        layout="constrained",
        squeeze=False,
    )
    return fig, axes


@styled
def plot_distributions(
    table: pd.DataFrame,
    metrics: Mapping[str, str],
    *,
    paper: pd.DataFrame | None = None,
) -> tuple[Figure, NDArray]:
    """Draw the distribution of each metric by number of sources (PNAS Fig. 3 B to D).

    Parameters
    ----------
    table : DataFrame
        One row a recording, with columns ``method``, ``n_sources`` and the
        metrics.
    metrics : mapping of column to axis label
        One panel each; an error in mm gets a logarithmic axis.
    paper : DataFrame | None
        The paper's means, indexed by the number of sources: gray diamonds.

    Returns
    -------
    fig, axes : Figure and array of Axes
        Violins between the 10th and 90th percentile; white circle: median, bar: mean,
        thick line: middle half.
    """
    groups = sorted(table["n_sources"].unique())
    methods = list(dict.fromkeys(table["method"]))
    fig, axes = _grid(metrics, 2.2)
    width = 0.84 / len(methods)
    for ax, (metric, label) in zip(axes.flat, metrics.items(), strict=True):
        for k, method in enumerate(methods):
            rows = table[table["method"] == method].groupby("n_sources")[metric]
            for g, group in enumerate(groups):
                at = g + (k + 0.5) * width - 0.42
                values = _positive(rows.get_group(group).dropna(), label)
                _violin(ax, at, 0.9 * width, values, method_color(method))
        if paper is not None and metric in paper:
            theirs = paper[metric][groups]
            ax.plot(range(len(groups)), theirs, "D", ms=4, color=PAPER_COLOR)
        if label.endswith(_LOG):
            log_scale(ax, "y")
        ax.set(xticks=range(len(groups)), xticklabels=groups, xlabel="sources")
        ax.set_title(label)
        ax.grid(axis="x", visible=False)
    _legend(fig, methods, paper is not None)
    return fig, axes


def _positive(values, label: str) -> NDArray:
    """Keep values off zero where the axis is logarithmic."""
    values = np.asarray(values, float)
    return np.maximum(values, _LEAST) if label.endswith(_LOG) else values


def _violin(ax: Axes, at: float, width: float, values: NDArray, color: str) -> None:
    if len(values) == 0:
        return
    low, high = np.percentile(values, _WHISKERS)
    inside = values[(values >= low) & (values <= high)]
    if len(inside) > 4 and np.ptp(inside) > 0:
        body = ax.violinplot([inside], [at], widths=width, showextrema=False)
        for part in body["bodies"]:
            part.set(facecolor=color, alpha=0.45, edgecolor="none")
    first, middle, third = np.percentile(values, (25, 50, 75))
    ax.vlines(at, low, high, color=color, lw=0.7)
    ax.vlines(at, first, third, color=color, lw=3)
    ax.plot(at, middle, "o", ms=3.2, mfc="white", mec=color, mew=0.8, zorder=3)
    ax.hlines(values.mean(), at - width / 2, at + width / 2, color=color, lw=1.1)


def _legend(fig: Figure, methods: Sequence[str], with_paper: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=method_color(m), alpha=0.7, label=method_name(m)) for m in methods
    ]
    if with_paper:
        diamond = {"marker": "D", "ms": 4, "ls": "none", "color": PAPER_COLOR}
        handles.append(Line2D([], [], label="paper, mean", **diamond))
    fig.legend(handles=handles, ncols=min(len(handles), 5), loc="outside lower center")


@styled
def plot_boxes(
    table: pd.DataFrame,
    metrics: Mapping[str, str],
    *,
    p_values: pd.DataFrame | None = None,
) -> tuple[Figure, NDArray]:
    """Draw one box a method for each metric (PNAS SI Fig. S12, Fig. 6A).

    Parameters
    ----------
    table : DataFrame
        One row a recording, with columns ``method`` and the metrics.
    metrics : mapping of column to axis label
        One panel each; an error or distance in mm gets a logarithmic axis.
    p_values : DataFrame | None
        Of :func:`deepsif_lite.evaluation.compare_methods`; a star where P < 0.05, two
        where P < 0.005.

    Returns
    -------
    fig, axes : Figure and array of Axes
        Boxes span the middle half, whiskers the 10th to 90th percentile; solid line:
        median, dashed: mean; dots are recordings.
    """
    methods = list(dict.fromkeys(table["method"]))
    fig, axes = _grid(metrics, 0.42 + 0.24 * len(methods))
    for ax, (metric, label) in zip(axes.flat, metrics.items(), strict=True):
        for k, method in enumerate(methods):
            values = table.loc[table["method"] == method, metric].dropna()
            values = _positive(values, label)
            color = method_color(method)
            jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
            ax.plot(values, k + jitter, ".", ms=2, alpha=0.4, color=color)
            _box(ax, k, values, color)
            if p_values is not None and (method, metric) in p_values.index:
                stars = _stars(p_values.loc[(method, metric), "p_holm"])
                ax.text(
                    1.005, k, stars, transform=ax.get_yaxis_transform(), va="center"
                )
        if label.endswith(_LOG):
            log_scale(ax, "x")
        ax.set(ylim=(len(methods) - 0.4, -0.6))
        ax.set_title(label, fontsize=9)
        ax.set_yticks(range(len(methods)), map(method_name, methods))
        ax.grid(axis="y", visible=False)
    for ax in axes[:, 1:].flat:
        ax.set_yticklabels([])
    return fig, axes


def _box(ax: Axes, at: int, values: NDArray, color: str) -> None:
    ax.boxplot(
        [values],
        positions=[at],
        orientation="horizontal",
        whis=_WHISKERS,
        widths=0.6,
        showfliers=False,
        showmeans=True,
        meanline=True,
        manage_ticks=False,
        medianprops={"color": color, "lw": 1.6},
        meanprops={"color": color, "lw": 1, "ls": "--"},
        **{f"{part}props": {"color": color, "lw": 0.9} for part in ("box", "whisker")},
        capprops={"color": color},
    )


def _stars(p: float) -> str:
    return next((stars for level, stars in _STARS if p < level), "")


@styled
def plot_levels(
    table: pd.DataFrame,
    metrics: Mapping[str, str],
    *,
    label: str = "",
    names: Mapping[str, str] | None = None,
) -> tuple[Figure, NDArray]:
    """Show scores under one condition after the other (PNAS SI Figs. S4 to S11).

    Parameters
    ----------
    table : DataFrame
        Columns ``level``, ``method`` and, for each metric, its mean and ``<metric>_se``;
        levels and methods appear in the order of the rows.
    metrics : mapping of column to axis label
        One panel each; an error in mm gets a logarithmic axis.
    label : str
        What the levels are.
    names : mapping of level to text | None
        How levels are printed.

    Returns
    -------
    fig, axes : Figure and array of Axes
        Whiskers are two standard errors.
    """
    import matplotlib.pyplot as plt

    levels = list(dict.fromkeys(table["level"]))
    methods = list(dict.fromkeys(table["method"]))
    fig, axes = plt.subplots(
        1,
        len(metrics),
        figsize=(WIDTH, 0.95 + 0.22 * len(levels)),
        layout="constrained",
        sharey=True,
        squeeze=False,
    )
    axes = axes[0]
    for ax, (metric, text) in zip(axes, metrics.items(), strict=True):
        for k, method in enumerate(methods):
            rows = table[table["method"] == method].set_index("level")
            at = np.array([levels.index(level) for level in rows.index])
            ax.errorbar(
                _positive(rows[metric], text),
                at + 0.16 * (k - (len(methods) - 1) / 2),
                xerr=2 * rows[f"{metric}_se"].fillna(0),
                fmt="o",
                ms=3.5,
                lw=0.8,
                color=method_color(method),
            )
        if text.endswith(_LOG):
            log_scale(ax, "x")
        ax.set(xlabel=text)
    printed = [(names or {}).get(level, level) for level in levels]
    axes[0].set_yticks(range(len(levels)), printed)
    axes[0].set(ylim=(len(levels) - 0.5, -0.5), ylabel=label)
    _legend(fig, methods, with_paper=False)
    return fig, axes


@styled
def plot_cancellation(table: pd.DataFrame) -> tuple[Figure, NDArray]:
    """Show how a beamformer cancels an extended source as noise falls.

    Parameters
    ----------
    table : DataFrame
        Columns ``options``, ``snr_db``, ``passed`` (what of a source its filter lets
        through, 1 being all), ``recall``, ``AP`` and their standard errors
        ``recall_se``, ``AP_se``; one method, in the order of its options.

    Returns
    -------
    fig, axes : Figure and array of Axes
        One color a regularization; filters for a patch are dashed (one ring) or dotted
        (two). Bands: two standard errors.
    """
    import matplotlib.pyplot as plt

    labels = {"passed": "share passed", "recall": "recall", "AP": "average precision"}
    fig, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.9), layout="constrained")
    options = list(dict.fromkeys(table["options"]))
    kinds = list(dict.fromkeys(text.split(", ")[0] for text in options))
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.85, len(kinds)))
    for text in options:
        rows = table[table["options"] == text].sort_values("snr_db")
        color = shades[kinds.index(text.split(", ")[0])]
        style = next((s for part, s in _PATCHES.items() if part in text), "-")
        for ax, column in zip(axes, labels, strict=True):
            line = {"color": color, "ls": style, "marker": ".", "label": text}
            ax.plot(rows["snr_db"], rows[column], **line)
            if f"{column}_se" in rows:
                margin = 2 * rows[f"{column}_se"]
                band = rows[column] - margin, rows[column] + margin
                ax.fill_between(rows["snr_db"], *band, color=color, alpha=0.08, lw=0)
    for ax, label in zip(axes, labels.values(), strict=True):
        ax.set(title=label, ylim=(0, None), xlabel="SNR (dB)")
        ax.set(xticks=sorted(set(table["snr_db"])))
    fig.legend(
        *axes[0].get_legend_handles_labels(), ncols=3, loc="outside lower center"
    )
    return fig, axes
