"""Evoked responses: one electrode, groups of people, areas (Fig. 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import (
    METHOD_COLORS,
    WIDTH,
    check_ax,
    method_color,
    method_name,
    plain_text,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import mne
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray


@styled
def plot_electrode(
    evoked: mne.Evoked,
    channel: str,
    marks: Mapping[str, float],
    *,
    unit: str = "µV",
    title: str | None = None,
) -> tuple[Figure, NDArray]:
    """Draw the trace of one electrode, and the scalp map at each marked time.

    Parameters
    ----------
    evoked : mne.Evoked
        V, with electrode positions.
    channel : str
        The electrode.
    marks : mapping of name to time
        s; one scalp map each.
    unit : str
        Of the data times a million.
    title : str | None
        Text above the trace.

    Returns
    -------
    fig, axes : Figure and array of Axes, the trace first
    """
    import matplotlib.pyplot as plt

    from .sensors import plot_topography

    ratios = (2, *([1] * len(marks)))
    fig, axes = plt.subplots(
        1,
        1 + len(marks),
        figsize=(WIDTH, 2.3),
        width_ratios=ratios,
        layout="constrained",
    )
    data = 1e6 * evoked.data
    trace = data[evoked.ch_names.index(channel)]
    axes[0].plot(1e3 * evoked.times, trace, color=METHOD_COLORS["truth"])
    axes[0].axvline(0, color="#999999", lw=0.8)
    axes[0].set(
        xlabel="time (ms)", ylabel=plain_text(f"{channel} ({unit})"), title=title or ""
    )
    for ax, (name, time) in zip(axes[1:], marks.items(), strict=True):
        sample = int(np.abs(evoked.times - time).argmin())
        axes[0].axvline(1e3 * time, color="#444444", lw=0.8, ls="--")
        label = f"{name}, {1e3 * time:.0f} ms"
        plot_topography(
            data[:, sample], evoked.info, ax=ax, title=label, colorbar=False
        )
    return fig, axes


@styled
def plot_group(
    courses: Mapping[str, ArrayLike],
    times: ArrayLike,
    *,
    ylabel: str = "",
    marks: Sequence[float] = (),
    ax: Axes | None = None,
) -> tuple[Figure, Axes]:
    """Draw means over people, with their standard errors shaded.

    Parameters
    ----------
    courses : mapping of name to array of shape (n_people, n_times)
    times : array of shape (n_times,)
        Seconds.
    ylabel : str
    marks : sequence of float
        Times drawn as vertical lines, s.
    ax : Axes | None

    Returns
    -------
    fig, ax : Figure and Axes
    """
    fig, ax = check_ax(ax, (WIDTH, 2.4))
    times = 1e3 * np.asarray(times)
    for name, course in courses.items():
        course = np.asarray(course)
        mean = course.mean(axis=0)
        error = course.std(axis=0, ddof=min(1, len(course) - 1)) / len(course) ** 0.5
        label = f"{name} (n = {len(course)})" if len(course) > 1 else name
        (line,) = ax.plot(times, mean, label=label)
        shade = {"color": line.get_color(), "alpha": 0.2, "lw": 0}
        ax.fill_between(times, mean - error, mean + error, **shade)
    for mark in marks:
        ax.axvline(1e3 * mark, color="#444444", lw=0.7, ls=":")
    ax.set(xlabel="time (ms)", ylabel=ylabel, xlim=(times[0], times[-1]))
    ax.legend()
    return fig, ax


@styled
def plot_shares(table: pd.DataFrame) -> tuple[Figure, NDArray]:
    """Draw how much of the maps lies in each area: mean and standard error.

    Parameters
    ----------
    table : DataFrame
        One row a person, method and area: columns ``study``, ``method``, ``area``,
        ``value`` (share of the map over that of chance).

    Returns
    -------
    fig, axes : Figure and array of Axes
        One panel a study; the gray line is what chance gives.
    """
    import matplotlib.pyplot as plt

    studies = list(dict.fromkeys(table["study"]))
    fig, axes = plt.subplots(
        1, len(studies), figsize=(WIDTH, 2.5), layout="constrained", squeeze=False
    )
    for ax, study in zip(axes[0], studies, strict=True):
        rows = table[table["study"] == study]
        areas = list(dict.fromkeys(rows["area"]))
        methods = list(dict.fromkeys(rows["method"]))
        for k, method in enumerate(methods):
            groups = rows[rows["method"] == method].groupby("area")["value"]
            at = np.arange(len(areas)) + (k - (len(methods) - 1) / 2) * 0.8 / len(
                methods
            )
            ax.errorbar(
                at,
                groups.mean()[areas],
                yerr=groups.sem()[areas],
                fmt="o",
                ms=4,
                color=method_color(method),
                label=method_name(method),
            )
        ax.axhline(1, color="#999999", lw=0.9, ls="--")
        ax.set_xticks(range(len(areas)), areas)
        ax.set(title=study, xlim=(-0.6, len(areas) - 0.4))
        ax.set_ylim(bottom=0)
    axes[0, 0].set_ylabel("share of the map / chance")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=len(names))
    return fig, axes[0]
