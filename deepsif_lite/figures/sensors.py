"""Scalp maps and time courses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import METHOD_COLORS, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import mne
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


@styled
def plot_topography(
    values: ArrayLike,
    info: mne.Info,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    label: str = "",
    colorbar: bool = True,
    vlim: tuple[float | None, float | None] = (None, None),
    **options,
) -> tuple[Figure, Axes]:
    """Draw one value a channel as a scalp map (:func:`mne.viz.plot_topomap`).

    Parameters
    ----------
    values : array of shape (n_channels,)
        In the order of ``info``; the unit is named by ``label``.
    info : mne.Info
        Holds the electrode positions.
    ax, title, label, colorbar, vlim, **options
        Where and how; ``options`` go to :func:`mne.viz.plot_topomap`.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    import matplotlib.pyplot as plt
    import mne

    if ax is None:
        _, ax = plt.subplots(figsize=(2.8, 2.6), layout="constrained")
    settings = {"cmap": "RdBu_r", "sensors": "k.", "contours": 5} | options
    values = np.asarray(values, float)
    image, _ = mne.viz.plot_topomap(
        values, info, axes=ax, show=False, vlim=vlim, **settings
    )
    if title:
        ax.set_title(title, loc="center", fontsize=9)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, shrink=0.7, label=label)
    return ax.figure, ax


@styled
def plot_butterfly(
    data: ArrayLike,
    times: ArrayLike,
    *,
    ax: Axes | None = None,
    ylabel: str = "",
    title: str | None = None,
    mark: float | None = None,
    highlight: Mapping[str, int] | None = None,
) -> tuple[Figure, Axes]:
    """Draw all time courses over each other, with the largest magnitude marked.

    Parameters
    ----------
    data : array of shape (n_times, n_series)
        Channels or regions in columns, in the unit named by ``ylabel``.
    times : array of shape (n_times,)
        Seconds.
    ax, ylabel, title
        Where, and the texts.
    mark : float, optional
        A time in seconds drawn as a vertical line.
    highlight : mapping of label to column, optional
        Series drawn thick and in color over the gray rest.

    Returns
    -------
    fig, ax : Figure and Axes

    Raises
    ------
    ValueError
        ``data`` and ``times`` do not agree.
    """
    import matplotlib.pyplot as plt

    data, times = np.asarray(data, float), np.asarray(times, float)
    if data.ndim != 2 or len(data) != len(times):
        msg = (
            f"data of shape {data.shape} is not (n_times, n_series) with "
            f"{len(times)} times; transpose it?"
        )
        raise ValueError(msg)
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 2.4), layout="constrained")
    gray = "#8a8a8a" if highlight else "#4d6f8a"
    ax.plot(times * 1e3, data, color=gray, lw=0.5, alpha=0.7)
    for name, column in (highlight or {}).items():
        ax.plot(times * 1e3, data[:, column], lw=1.8, label=name)
    if mark is not None:
        ax.axvline(mark * 1e3, color=METHOD_COLORS["truth"], lw=0.8, ls="--")
    ax.set(xlabel="time (ms)", ylabel=ylabel, xlim=(times[0] * 1e3, times[-1] * 1e3))
    if title:
        ax.set_title(title)
    if highlight:
        ax.legend()
    return ax.figure, ax
