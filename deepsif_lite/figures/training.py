"""How the training of networks went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OptionError
from .style import PAPER_COLOR, check_ax, log_scale, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@styled
def plot_loss(
    history: pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> tuple[Figure, Axes]:
    """Draw the loss of a training run on a logarithmic axis.

    Parameters
    ----------
    history : DataFrame
        The training log: column ``samples`` and one or more columns of losses.
    columns : mapping of column to label | None
        Default: every column whose name ends in ``loss``.
    ax, title
        Where, and the text above.

    Returns
    -------
    fig, ax : Figure and Axes
    """
    from matplotlib.ticker import EngFormatter

    if columns is None:
        columns = {name: name for name in history.columns if name.endswith("loss")}
    if not columns:
        msg = f"no loss column in history: {list(history.columns)}; pass columns=."
        raise OptionError(msg)
    fig, ax = check_ax(ax, (4.6, 2.6))
    for column, label in columns.items():
        rows = history[["samples", column]].dropna()
        style = {"marker": "o", "ms": 3} if len(rows) < 40 else {}
        ax.plot(rows["samples"], rows[column], label=label, **style)
    ax.set(xlabel="samples", ylabel="mean squared error")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))  # 500k, 1M
    log_scale(ax, "y", at=(1, 2, 5))
    if title:
        ax.set_title(title)
    ax.legend()
    return fig, ax


@styled
def plot_learning(
    logs: Mapping[str, pd.DataFrame],
    scores: Mapping[str, str],
    goals: Mapping[str, float] | None = None,
) -> tuple[Figure, NDArray]:
    """Draw how scores grow with samples and with time, for several trainings.

    Parameters
    ----------
    logs : mapping of network to DataFrame
        Training logs, see :func:`deepsif_lite.network.load_log`. Rows without scores
        are left out.
    scores : mapping of column to label
        What is drawn, a column of panels each.
    goals : mapping of column to float | None
        Values to reach, as dashed lines.

    Returns
    -------
    fig, axes : Figure and array of Axes, shape (2, n_scores)
    """
    import matplotlib.pyplot as plt

    amounts = {"thousand samples": ("samples", 1e3), "minutes": ("seconds", 60)}
    fig, axes = plt.subplots(
        2, len(scores), figsize=(7.5, 3.9), layout="constrained", squeeze=False
    )
    for row, (unit, (amount, size)) in zip(axes, amounts.items(), strict=True):
        for ax, (column, label) in zip(row, scores.items(), strict=True):
            for name, log in logs.items():
                scored = log.dropna(subset=[column])
                ax.plot(scored[amount] / size, scored[column], "o-", ms=3, label=name)
            if goals:
                ax.axhline(goals[column], color=PAPER_COLOR, ls="--", lw=0.9)
            ax.set(xlabel=unit, title=label, xscale="log")
    axes[0, 0].legend()
    return fig, axes
