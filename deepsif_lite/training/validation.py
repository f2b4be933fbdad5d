"""Score a network while it trains: the paper's metrics on samples set aside.

The loss does not say where a source is found or how much of it, so a run also
images a fixed set of samples as an evaluation would, and keeps the weights with the
best F-measure of precision and recall. Neither one alone will do: a network that
marks a single region has perfect precision, one that marks all has perfect recall.
The localization error shares precision's fault, for regions left out cost nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..metrics.scores import f_measure, nan_mean, score

if TYPE_CHECKING:
    from ..network.protocol import SourceNetwork
    from ..synthesis.stream import SyntheticEEG

#: What a validation measures: means over samples, a missed source has recall 0.
SCORES = ("precision", "recall", "f_measure", "correlation", "error_mm")
_BATCH = 16  # samples imaged at a time, 2 MB each


class _Kept(NamedTuple):
    """A sample without the zeros of its activity."""

    eeg: NDArray
    patches: list[NDArray]
    regions: NDArray
    courses: NDArray


class ScoreSet:
    """Samples set aside, and what a network scores on them.

    Parameters
    ----------
    stream : SyntheticEEG
    indices : iterable of int
        Which samples of the stream. Those without a source are left out, for they
        have no scores.
    """

    def __init__(self, stream: SyntheticEEG, indices: Iterable[int]) -> None:
        self.head = stream.head
        samples = map(stream.__getitem__, indices)
        self._samples = [_keep(s) for s in samples if s.patches]

    def __len__(self) -> int:
        return len(self._samples)

    @torch.no_grad()
    def scores(
        self, network: SourceNetwork, precision: AbstractContextManager | None = None
    ) -> dict[str, float]:
        """Image all samples and average their scores.

        Parameters
        ----------
        network : SourceNetwork
            It serves the stream's cap after.
        precision : context manager | None
            Numeric precision to image in.

        Returns
        -------
        dict of str to float
            The means named in ``SCORES``. Precision, correlation and
            localization error (mm) leave missed sources out, as the paper does;
            they are NaN where every source was missed, and the F-measure is 0.
        """
        rows: list[dict[str, float]] = []
        was_training = network.training
        network.eval()
        network.set_leadfield(self.head.leadfield)
        device = next(network.parameters()).device
        with precision or nullcontext(), ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(self._samples), _BATCH):
                part = self._samples[start : start + _BATCH]
                eeg = torch.as_tensor(np.stack([s.eeg for s in part]))
                images = network(eeg.to(device)).float().cpu().numpy()
                rows += pool.map(self._score, images, part)
        network.train(was_training)
        return _means(rows)

    def _score(self, image: NDArray, sample: _Kept) -> dict[str, float]:
        truth = np.zeros_like(image)
        truth[:, sample.regions] = sample.courses
        return score(image, truth, sample.patches, self.head.cortex)


def _keep(sample) -> _Kept:
    regions = np.unique(np.concatenate(sample.patches))
    return _Kept(sample.eeg, sample.patches, regions, sample.activity[:, regions])


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    def mean(key: str) -> float:
        return nan_mean(np.array([row[key] for row in rows]))

    precision, recall = mean("precision"), mean("recall")
    both = f_measure(precision, recall)
    values = (precision, recall, both, mean("correlation"))
    return dict(zip(SCORES, (*values, 1e3 * mean("localization_error")), strict=True))
