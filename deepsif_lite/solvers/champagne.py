r"""Sparse Bayesian learning over patches of many sizes (the Champagne family).

A candidate is a region with all regions within 0, 1, 2, ... steps of it along the mesh,
equally strong or fading towards the rim: place, size and shape are chosen together. The covariance of the data is modeled as

.. math:: \Sigma = \lambda I + \beta G G^T + \sum_k \gamma_k h_k h_k^T

with noise of the sensors, background activity of the whole cortex (leadfield G), and a
few patches of topography h and unknown variance. All variances are those of the
greatest evidence

.. math:: -\tfrac{n}{2} \left(\log|\Sigma| + \mathrm{tr}\,\Sigma^{-1} C\right)

for the covariance C of the data. Variances are improved by the convexity-based update
of Champagne, which never lowers the evidence; noise is learned by the same update. A
patch is added, or exchanged for a better one, by its variance of greatest evidence given
all others, which has a closed form.

EEG is smooth in time, so n is the number of samples that are independent. It also
counts how far the model can be trusted: noise of sensors is as modeled, but background
activity is not the same everywhere, and what it has more of in one place looks like a
source. So a first search counts all independent samples, and tells how much of the
noise is background; a second one counts that part of them less, see
:func:`samples_that_count`. With a noise covariance that holds the background, nearly
all are counted.

What the sources leave tells how far noise is from the brain, whose activity is slow.
Where it is white in time, slow sources do not make its samples fewer, and all count.

A further source must be worth the price of its choice among all candidates. Several
weak sources in strong noise are often not, and are found in part: a lower price finds
more of them, and false ones where there is background activity, which all recordings of
a brain hold. So one that is worth less is faint in the image: by its odds.

References
----------
Wipf DP, Owen JP, Attias HT, Sekihara K, Nagarajan SS (2010). NeuroImage 49, 641-655
(updates). Cai C, Hashemi A, Diwakar M, Haufe S, Sekihara K, Nagarajan SS (2021).
NeuroImage 225, 117411 (noise). Tipping ME, Faul AC (2003). Proceedings of the 9th
International Workshop on Artificial Intelligence and Statistics (variance of one
candidate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from ..errors import check_range
from .activity import activity_of
from .patch_model import PatchModel
from .patches import ring_patches, smooth_patches
from .whitening import whiten

if TYPE_CHECKING:
    from ..head.model import HeadModel

BACKGROUND_SHARE = 0.3
"""Independent samples that count where all noise is background activity.

Chosen, as the next, on recordings of the training's clips and on public ones of other
seeds (see ``benchmarks/invertmeeg.py`` and ``benchmarks/leaderboard.py``).
"""
WHITENESS = 4
"""Power of the share of independent samples in noise, by which it counts as white.

Noise of the sensors is: nearly all of its samples are independent. With background
activity beside it, half of them are, or far fewer, and hardly any weight remains.
"""
N_STEPS = 3
"""Largest size: all regions within so many steps, about 54 cm^2 on 994 regions."""


@dataclass(frozen=True)
class PatchSource:
    """A source as the best candidate describes it.

    Attributes
    ----------
    region : int
        Center.
    steps : int
        All regions within so many steps belong to it.
    fading : bool
        Whether it grows weaker towards its rim.
    regions : array of int
        Its regions.
    variance : float
        Of the activity of its strongest region, (A m)^2.
    gain : float
        Log evidence that the source adds given all others.
    """

    region: int
    steps: int
    fading: bool
    regions: NDArray
    variance: float
    gain: float


@dataclass(frozen=True)
class ChampagneResult:
    """An image and how it came about.

    Attributes
    ----------
    activity : array of shape (n_times, n_regions)
        Posterior mean, A m, averaged over similar candidates.
    sources : list of PatchSource
        In the order in which they were found.
    log_evidence : array of shape (n_updates,)
        After each update or change of patches, less a constant. It never falls.
    sensor_noise, background : float
        Share of each in the power of the data.
    n_effective : float
        Samples that the evidence counts.
    """

    activity: NDArray
    sources: list[PatchSource]
    log_evidence: NDArray
    sensor_noise: float
    background: float
    n_effective: float


def fit_champagne(
    eeg: NDArray,
    head: HeadModel,
    *,
    noise_cov: NDArray | None = None,
    n_steps: int = N_STEPS,
) -> ChampagneResult:
    """Estimate sources, their sizes and the noise, and keep how it came about.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, in the order of the head model's channels.
    head : HeadModel
        Leadfield, V/(A m), and which regions touch.
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2; its scale is learned. By default equal and independent
        on all channels. Background activity is learned besides.
    n_steps : int
        Size of the largest candidate, steps along the mesh.

    Returns
    -------
    ChampagneResult

    Raises
    ------
    OptionError
        ``n_steps`` is negative.
    SignalError
        As of :func:`~deepsif_lite.solvers.whiten`.
    """
    check_range("n_steps", n_steps, 0)
    data, gain = whiten(eeg, head, noise_cov)
    scale = np.sqrt((data**2).mean()) or 1.0
    unit = np.linalg.norm(gain, axis=0).mean()
    members = vstack(
        [ring_patches(head.cortex, n_steps), smooth_patches(head.cortex, n_steps)],
        format="csr",
    )
    candidates = np.ascontiguousarray((members @ (gain / unit).T).T)
    model = _search(data / scale, gain / unit, candidates)
    sensor_noise, background = model.noise_power.tolist()
    return ChampagneResult(
        activity=model.activity(members) * (scale / unit),
        sources=_sources(model, members, n_steps, (scale / unit) ** 2),
        log_evidence=np.array(model.log_evidence),
        sensor_noise=sensor_noise,
        background=background,
        n_effective=model.n_effective,
    )


solve = activity_of(fit_champagne)


def _search(data: NDArray, gain: NDArray, candidates: NDArray) -> PatchModel:
    """Fit twice: to learn of what kind the noise is, and with samples that count."""
    first = PatchModel(data, gain, candidates, independent_samples(data))
    first.search()
    model = PatchModel(data, gain, candidates, samples_that_count(first))
    model.search()
    return model


def samples_that_count(model: PatchModel) -> float:
    r"""Return by how many independent samples a fitted model's noise is known.

    Those of the data, of the part that is background :data:`BACKGROUND_SHARE` of them,
    if noise is slow, as the brain's is. If it is white, noise of the sensors was
    averaged over all samples, and only background, of share b, over fewer; that is as
    well known as a sum of two independent powers,

    .. math:: 1/n = (1 - b)^2 / n_\text{all} + b^2 / n_\text{background}

    In between the two are weighed by how white it is, see :data:`WHITENESS`.
    """
    n_all = model.data.shape[1]
    n_data = independent_samples(model.data)
    if not n_data:
        return 0.0  # data of zeros
    background = model.noise_power[1] / model.noise_power.sum()
    n_slow = (1 - (1 - BACKGROUND_SHARE) * background) * n_data
    of_background = background**2 / (BACKGROUND_SHARE * n_data)
    n_white = 1 / ((1 - background) ** 2 / n_all + of_background)
    white = min(independent_samples(model.residual()) / n_all, 1) ** WHITENESS
    return float(1 / (white / n_white + (1 - white) / n_slow))


def independent_samples(data: NDArray) -> float:
    """Count the samples of white noise whose spectrum would vary as much.

    Two for each frequency that takes part in the power spectrum: all samples of white
    noise, few of slow waves.
    """
    power = (np.abs(np.fft.rfft(data, axis=1)) ** 2).sum(axis=0)
    squares = (power**2).sum()
    return float(2 * power.sum() ** 2 / squares) if squares > 0 else 0.0


def _sources(
    model: PatchModel, members: csr_array, n_steps: int, unit: float
) -> list[PatchSource]:
    """Describe the patches of a model; ``unit`` brings variances to (A m)^2."""
    sources = []
    for place, candidate in enumerate(model.chosen):
        steps, region = divmod(candidate, members.shape[1])
        fading = steps > n_steps
        gain = float(model.gains(place)[0][candidate])
        variance = float(model.variances[place] * unit)
        regions = np.sort(members[[candidate]].indices)
        sources.append(
            PatchSource(
                region, steps - fading * n_steps, fading, regions, variance, gain
            )
        )
    return sources
