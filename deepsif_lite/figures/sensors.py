"""Scalp maps and time courses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import SignalError
from .style import METHOD_COLORS, WIDTH, check_ax, styled

if TYPE_CHECKING:
    import mne
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray


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
    import mne

    fig, ax = check_ax(ax, (2.8, 2.6))
    settings = {"cmap": "RdBu_r", "sensors": "k.", "contours": 5} | options
    values = np.asarray(values, float)
    image, _ = mne.viz.plot_topomap(
        values, info, axes=ax, show=False, vlim=vlim, **settings
    )
    if title:
        ax.set_title(title, loc="center", fontsize=9)
    if colorbar:
        fig.colorbar(image, ax=ax, shrink=0.7, label=label)
    return fig, ax


@styled
def plot_butterfly(
    data: ArrayLike,
    times: ArrayLike,
    *,
    ax: Axes | None = None,
    ylabel: str = "",
    title: str | None = None,
    mark: float | None = None,
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
    mark : float | None
        A time in seconds drawn as a vertical line.

    Returns
    -------
    fig, ax : Figure and Axes

    Raises
    ------
    SignalError
        ``data`` and ``times`` do not agree.
    """
    data, times = np.asarray(data, float), np.asarray(times, float)
    if data.ndim != 2 or len(data) != len(times):
        msg = (
            f"data of shape {data.shape} is not (n_times, n_series) with "
            f"{len(times)} times; transpose it?"
        )
        raise SignalError(msg)
    fig, ax = check_ax(ax, (WIDTH, 2.4))
    ax.plot(times * 1e3, data, color="#4d6f8a", lw=0.5, alpha=0.7)
    if mark is not None:
        ax.axvline(mark * 1e3, color=METHOD_COLORS["truth"], lw=0.8, ls="--")
    ax.set(xlabel="time (ms)", ylabel=ylabel, xlim=(times[0] * 1e3, times[-1] * 1e3))
    if title:
        ax.set_title(title)
    return fig, ax


@styled
def plot_evoked(
    evoked: mne.Evoked,
    at: float | None = None,
    *,
    scale: float = 1e6,
    unit: str = "µV",
    title: str | None = None,
) -> tuple[Figure, NDArray]:
    """Draw all channels over each other, beside the scalp map at one time.

    :meth:`mne.Evoked.plot_joint` does the same with several maps above the traces. It
    is not used because it fixes the unit to µV (published recordings and simulated EEG
    have none), colors 75 traces by position, which hides the one time that is marked,
    and cannot be laid out for a column.

    Parameters
    ----------
    evoked : mne.Evoked
        With electrode positions.
    at : float | None
        Time of the scalp map, s, marked in the traces. By default where the global
        field power is largest.
    scale, unit : float, str
        What the data are multiplied by, and their unit then.
    title : str | None
        Above the traces.

    Returns
    -------
    fig, axes : Figure and array of two Axes
    """
    import matplotlib.pyplot as plt

    if at is None:
        at = float(evoked.times[evoked.data.std(axis=0).argmax()])
    data = scale * evoked.data
    sample = np.abs(evoked.times - at).argmin()
    fig, axes = plt.subplots(
        1, 2, figsize=(WIDTH, 2.4), width_ratios=(2, 1), layout="constrained"
    )
    plot_butterfly(
        data.T, evoked.times, ax=axes[0], ylabel=f"EEG ({unit})", title=title, mark=at
    )
    plot_topography(data[:, sample], evoked.info, ax=axes[1], label=unit)
    return fig, axes
