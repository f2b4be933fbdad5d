"""Compare the probabilities of parcels with what is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError, SignalError
from ..imaging.batches import run_batches

if TYPE_CHECKING:
    import pandas as pd

    from ..head.model import HeadModel
    from ..imaging.imager import Imager
    from ..spikes.library import SpikeLibrary


def probability_and_truth(
    model: Imager,
    clips: SpikeLibrary,
    *,
    n_sources: int | Sequence[int] = (1, 2, 3),
    n_samples: int = 300,
    seed: int = 0,
    head: HeadModel | None = None,
    **options,
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return what a network says of the parcels of fresh recordings, and the truth.

    Parameters
    ----------
    model : Imager
        With a network that gives probabilities.
    clips : SpikeLibrary
        Clips that training has not seen.
    n_sources : int | sequence of int
        Sources of a recording; of a sequence, each recording draws one.
    n_samples : int
        Recordings.
    seed : int
        Key of the recordings.
    head : HeadModel | None
        Makes the recordings; by default the model's own.
    **options
        Passed to :class:`deepsif_lite.SyntheticEEG`.

    Returns
    -------
    probability : array of shape (n_samples, n_regions)
    active : array of bool, shape (n_samples, n_regions)
        Whether the parcel was part of a patch.

    Raises
    ------
    MismatchError
        The network gives no probabilities.
    """
    from ..synthesis.stream import SyntheticEEG

    head = model.head if head is None else head
    stream = SyntheticEEG(head, clips, n_sources=n_sources, seed=seed, **options)

    def look(indices: range) -> tuple[NDArray, NDArray]:
        batch = stream.batch(indices)
        told = model.predict_with_probability(batch.eeg.numpy())[1]
        if told is None:
            msg = "model gives no probabilities; use a lite network."
            raise MismatchError(msg)
        return told, (batch.weights > 0).any(1).numpy()

    told, active = zip(*run_batches(look, n_samples), strict=True)
    return np.concatenate(told), np.concatenate(active)


def reliability(
    probability: NDArray, active: NDArray, *, n_bins: int = 10
) -> pd.DataFrame:
    """Compare probabilities with what is true, bin by bin.

    As ``sklearn.calibration.calibration_curve``, which does not say how many
    parcels a bin holds.

    Parameters
    ----------
    probability : array
        Between 0 and 1.
    active : array of bool, same shape
    n_bins : int
        Bins of equal width.

    Returns
    -------
    DataFrame
        One row a bin that holds anything: ``predicted`` (mean probability),
        ``observed`` (share that was active) and ``count``.

    Raises
    ------
    SignalError
        The shapes differ or a probability lies outside 0 to 1.
    """
    import pandas as pd

    probability, active = np.asarray(probability), np.asarray(active)
    if probability.shape != active.shape:
        msg = f"probability {probability.shape} and active {active.shape} must match."
        raise SignalError(msg)
    if not ((probability >= 0) & (probability <= 1)).all():
        msg = "probability holds values outside 0 to 1; give probabilities, not odds."
        raise SignalError(msg)
    bins = np.minimum((probability * n_bins).astype(int), n_bins - 1)
    pairs = {"predicted": probability.ravel(), "observed": active.ravel()}
    groups = pd.DataFrame(pairs).astype(float).groupby(bins.ravel())
    return groups.mean().assign(count=groups.size()).reset_index(drop=True)


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Return the mean gap between probability and truth over all parcels.

    Parameters
    ----------
    table : DataFrame
        Of :func:`reliability`.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015), AAAI 29, 2901-2907.
    """
    gap = (table.predicted - table.observed).abs()
    return float(np.average(gap, weights=table["count"]))
