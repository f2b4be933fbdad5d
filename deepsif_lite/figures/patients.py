"""Patients: design of the study, scores, maps, spikes inside the head (Figs. 4 to 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import (
    METHOD_COLORS,
    PAPER_COLOR,
    WIDTH,
    method_color,
    method_name,
    styled,
)
from .views import colormap, draw_view, of_largest, outline_legend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ..cortex.surface import Cortex

_STEPS = (
    "spikes\n0.5 to 40 Hz",
    "average,\nscaled",
    "image of\none second",
    "mean over\n100 ms",
    "Otsu's\nthreshold",
)
_AGAINST = ("resection:\nprecision, recall, dispersion", "onset zone:\nerror")
_VIEWS = {"lh": ("lh-lateral", "lh-medial"), "rh": ("rh-lateral", "rh-medial")}


@styled
def plot_study() -> tuple[Figure, Axes]:
    """Draw how a patient's spikes become a set of regions, and its tests (PNAS Fig. 4A)."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(WIDTH, 1.7), layout="constrained")
    ax.set(xlim=(0, 7.4), ylim=(0, 2))
    ax.axis("off")
    for k, text in enumerate(_STEPS):
        color = METHOD_COLORS["deepsif"] if k == 2 else "#444444"
        _box(ax, (0.1 + 1.08 * k, 0.65), 0.9, 0.7, text, color)
        end = (0.1 + 1.08 * (k + 1) - 0.02, 1.0)
        if k < len(_STEPS) - 1:
            _arrow(ax, (end[0] - 0.14, 1.0), end)
    for k, text in enumerate(_AGAINST):
        low = 1.15 - 0.95 * k
        _box(ax, (5.65, low), 1.7, 0.7, text, METHOD_COLORS["truth"])
        _arrow(ax, (5.34, 1.0), (5.62, low + 0.35))
    return fig, ax


def _box(ax, corner, width, height, text, color) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0.02,rounding_size=0.08"
    ax.add_patch(
        FancyBboxPatch(
            corner, width, height, boxstyle=style, fc="white", ec=color, lw=1.4
        )
    )
    middle = corner[0] + width / 2, corner[1] + height / 2
    ax.text(*middle, text, ha="center", va="center", fontsize=7.5)


def _arrow(ax, start, end) -> None:
    arrow = {"arrowstyle": "-|>", "color": "#444444", "lw": 1.1}
    ax.annotate("", xy=end, xytext=start, arrowprops=arrow)


@styled
def plot_patient_scores(
    table: pd.DataFrame,
    metrics: Mapping[str, str],
    *,
    paper: pd.DataFrame | None = None,
    stars: pd.Series | None = None,
) -> tuple[Figure, NDArray]:
    """Show the scores of all patients, a dot each, with median and mean (PNAS Figs. 4B, 6A).

    Parameters
    ----------
    table : DataFrame
        One row a patient and method: columns ``method`` and the metrics.
    metrics : mapping of column to axis label
        One panel each, three in a row.
    paper : DataFrame | None
        The paper's means, indexed by method, a column a metric; gray diamonds.
    stars : Series | None
        What stands above a method, indexed by metric and method.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt

    methods = list(dict.fromkeys(table["method"]))
    n_rows = -(-len(metrics) // 3)
    fig, axes = plt.subplots(
        n_rows,
        min(3, len(metrics)),
        figsize=(WIDTH, 2.3 * n_rows),
        layout="constrained",
        squeeze=False,
    )
    for ax in axes.flat[len(metrics) :]:
        ax.axis("off")
    for ax, (metric, label) in zip(axes.flat, metrics.items(), strict=False):
        for k, method in enumerate(methods):
            values = table.loc[table["method"] == method, metric].dropna()
            _dots(ax, k, values, method_color(method))
            if paper is not None and metric in paper and method in paper.index:
                value = paper.loc[method, metric]
                ax.scatter(
                    k + 0.38, value, marker="D", s=20, color=PAPER_COLOR, clip_on=False
                )
            if stars is not None:
                mark, top = stars.get((metric, method), ""), values.max()
                ax.text(k, top, mark, ha="center", va="bottom", fontsize=9)
        names = [method_name(m) for m in methods]
        turned = (
            {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
            if len(names) > 3
            else {}
        )
        ax.set_xticks(range(len(names)), names, **turned)
        ax.set(title=label, xlim=(-0.6, len(methods) - 0.4))
        ax.set_ylim(bottom=0)
        ax.grid(axis="x", visible=False)
    _legend_of_dots(fig, paper is not None)
    return fig, axes


def _dots(ax, k: int, values: ArrayLike, color: str) -> None:
    values = np.asarray(values, float)
    # Spread by rank, so that dots of one value lie side by side.
    aside = 0.16 * (np.argsort(np.argsort(values)) % 3 - 1)
    ax.scatter(k + aside, values, s=10, alpha=0.6, lw=0, color=color)
    if len(values):
        ax.hlines(values.mean(), k - 0.3, k + 0.3, color=color, lw=2)
        ax.hlines(np.median(values), k - 0.3, k + 0.3, color=color, lw=1.2, ls=":")


def _legend_of_dots(fig: Figure, with_paper: bool) -> None:
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], marker="o", ls="", ms=3.5, color="#444444", label="one patient"),
        Line2D([], [], color="#444444", lw=2, label="mean"),
        Line2D([], [], color="#444444", lw=1.2, ls=":", label="median"),
    ]
    if with_paper:
        diamond = {"marker": "D", "ls": "", "ms": 4, "color": PAPER_COLOR}
        shown.append(Line2D([], [], **diamond, label="the paper's mean"))
    fig.legend(handles=shown, loc="outside lower center", ncols=len(shown))


@styled
def plot_patient_maps(
    maps: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]], cortex: Cortex
) -> tuple[Figure, NDArray]:
    """Show patients beside each other, each on the hemisphere of the map (PNAS Fig. 4C).

    Parameters
    ----------
    maps : mapping of name to (map, outlines)
        Map of shape (n_regions,), divided by its largest value; outlines by name, the
        same names for all.
    cortex : Cortex

    Returns
    -------
    fig, axes : Figure and array of Axes of shape (2, n_patients)
        From the side above, from the middle below.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import Normalize

    fig, axes = plt.subplots(
        2, len(maps), figsize=(WIDTH, 3.2), layout="constrained", squeeze=False
    )
    cmap, norm = colormap("sequential"), Normalize(0, 1, clip=True)
    outlines: dict[str, NDArray] = {}
    for column, (name, (values, own)) in zip(axes.T, maps.items(), strict=True):
        values = of_largest(values)
        outlines = {key: np.asarray(regions) for key, regions in own.items()}
        side = str(cortex.hemisphere[int(values.argmax())])
        for ax, view in zip(column, _VIEWS[side], strict=True):
            draw_view(ax, values, cortex, view, "inflated", cmap, norm, outlines)
        column[0].set_title(name, fontsize=8, loc="center", weight="normal")
    outline_legend(fig, outlines)
    return fig, axes


@styled
def plot_spike_clusters(
    averages: NDArray,
    times: NDArray,
    counts: Sequence[int],
    *,
    chosen: int,
    scalp: NDArray,
    image: NDArray,
    labels: tuple[str, str] = ("contact", "scalp"),
) -> tuple[Figure, NDArray]:
    """Show kinds of intracranial spikes, and one beside the image's course (PNAS Fig. 5).

    Parameters
    ----------
    averages : array of shape (n_clusters, n_times)
        Of each kind at one contact, V.
    times : array of shape (n_times,)
        Seconds.
    counts : sequence of int
        Spikes of each kind.
    chosen : int
        The kind that the scalp shows.
    scalp, image : array of shape (n_times,)
        Scalp channel, and strongest region of the image; any unit.
    labels : tuple of str
        Names of the contact and of the scalp channel.

    Returns
    -------
    fig, axes : Figure and array of two Axes
        Polarity of scalp and image is that of the contact.
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(
        1, 2, figsize=(WIDTH, 3.1), layout="constrained", width_ratios=(1, 1.2)
    )
    for k, average in enumerate(averages):
        style = {"lw": 2.2} if k == chosen else {"lw": 1.0, "ls": "--"}
        mark = ", as on the scalp" if k == chosen else ""
        label = f"kind {k + 1}: {counts[k]}{mark}"
        axes[0].plot(1e3 * times, 1e6 * average, label=label, **style)
    axes[0].set(
        xlabel="time (ms)", ylabel="potential (µV)", title=f"contact {labels[0]}"
    )
    contact = averages[chosen]
    axes[1].plot(
        1e3 * times, _scaled(contact), color=METHOD_COLORS["truth"], label=labels[0]
    )
    courses = {labels[1]: (scalp, PAPER_COLOR)}
    courses[method_name("deepsif")] = (image, method_color("deepsif"))
    for name, (course, color) in courses.items():
        r = np.corrcoef(contact, course)[0, 1]
        label = f"{name}, r = {abs(r):.2f}"
        turned = np.sign(r) * _scaled(course)
        axes[1].plot(1e3 * times, turned, color=color, label=label)
    axes[1].set(xlabel="time (ms)", ylabel="of the largest", title="three views of it")
    for ax in axes:
        ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0, -0.24))
    return fig, axes


def _scaled(course: ArrayLike) -> NDArray:
    course = np.asarray(course, float)
    return course / np.abs(course).max()


@styled
def plot_counts(
    tables: Mapping[str, pd.DataFrame],
    columns: Mapping[str, str],
    *,
    xlabel: str = "spikes averaged",
) -> tuple[Figure, NDArray]:
    """Show what averaging more buys: mean, with the range of subsets shaded.

    Parameters
    ----------
    tables : mapping of name to DataFrame
        One curve each: column ``count`` and some of the columns.
    columns : mapping of column to axis label
        One panel each.
    xlabel : str
        What is counted.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(
        1, len(columns), figsize=(WIDTH, 2.5), layout="constrained", squeeze=False
    )
    for ax, (column, label) in zip(axes[0], columns.items(), strict=True):
        for name, table in tables.items():
            if column not in table or table[column].isna().all():
                ax.plot([], [])  # keeps the colors of the other curves
                continue
            found = table.groupby("count")[column].agg(["mean", "min", "max"])
            (line,) = ax.plot(found.index, found["mean"], "o-", ms=3.5, label=name)
            ax.fill_between(
                found.index,
                found["min"],
                found["max"],
                color=line.get_color(),
                alpha=0.15,
                lw=0,
            )
        ax.set(xlabel=xlabel, title=label, xscale="log")
        ticks = sorted({int(n) for table in tables.values() for n in table["count"]})
        ax.set_xticks(ticks, [str(n) for n in ticks], minor=False)
        ax.minorticks_off()
        ax.set_ylim(bottom=0)
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=len(names))
    return fig, axes[0]


@styled
def plot_people(
    maps: Mapping[str, tuple[ArrayLike, Mapping[str, ArrayLike]]],
    cortex: Cortex,
    *,
    view: str = "lh-lateral",
    most: int = 4,
) -> tuple[Figure, NDArray]:
    """Show many maps in one view, several in a row.

    Parameters
    ----------
    maps : mapping of name to (map, outlines)
        As for :func:`plot_patient_maps`; each map is divided by its largest value.
    cortex : Cortex
    view : str
        As of :func:`plot_cortex`.
    most : int
        Maps in a row.

    Returns
    -------
    fig, axes : Figure and array of Axes
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import Normalize

    n_columns = min(most, len(maps))
    n_rows = -(-len(maps) // n_columns)
    size = (WIDTH, 0.3 + 1.3 * n_rows * 4 / n_columns)
    fig, axes = plt.subplots(
        n_rows, n_columns, figsize=size, layout="constrained", squeeze=False
    )
    cmap, norm = colormap("sequential"), Normalize(0, 1, clip=True)
    outlines: dict[str, NDArray] = {}
    for ax, (name, (values, own)) in zip(axes.flat, maps.items(), strict=False):
        outlines = {key: np.asarray(regions) for key, regions in own.items()}
        values = of_largest(values)
        draw_view(ax, values, cortex, view, "inflated", cmap, norm, outlines)
        ax.set_title(name, fontsize=8, loc="center", weight="normal")
    for ax in axes.flat[len(maps) :]:
        ax.axis("off")
    outline_legend(fig, outlines)
    return fig, axes
