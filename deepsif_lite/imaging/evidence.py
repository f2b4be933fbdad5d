"""What a window of data says of an image of it: numbers, for :mod:`.trust`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..cortex.surface import load_cortex
from ..head.artifact_sources import load_artifact_sources
from ..head.model import load_shells
from ..network.scalp_maps import source_whitener
from ..signals import average_reference
from .recent import Recent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from .source_image import SourceImage

# Of the mean power of a whitened channel: keeps an inverse of few samples finite.
_LOADING = 0.01
_FILTERED = 1e-3  # of the power; no EEG has less noise, so less was filtered away
_OFF_SCALP = 5e-3  # m; electrodes of other heads lie farther from the template's scalp
_N_CAPS = 8  # whose fields stay in memory; 64 electrodes take 1 MB
_caps: Recent[_Fields | None] = Recent(_N_CAPS)


@dataclass(frozen=True, eq=False)
class Evidence:
    """The window that an image was made of.

    Attributes
    ----------
    eeg : array of shape (n_times, n_channels)
        As it was prepared, any unit.
    head : HeadModel
        With these channels.
    noise_power : float | None
        Mean variance of a channel in a baseline, unit of ``eeg`` squared.
    """

    eeg: NDArray
    head: HeadModel
    noise_power: float | None = None

    def centered(self) -> NDArray:
        """Return the window without its mean over time, its largest magnitude one."""
        eeg = self.eeg - self.eeg.mean(axis=0)
        if self.head.modality == "eeg":
            eeg = average_reference(eeg, 1)
        return eeg / (np.abs(eeg).max() or 1)


def window_behind(image: SourceImage) -> Evidence | None:
    """Return the window that an image was made of, if it holds the same samples."""
    behind = image.evidence
    if isinstance(behind, Evidence) and len(behind.eeg) == len(image.times):
        return behind
    return None


class Artifacts(NamedTuple):
    """Shares of eyes and of muscles, each beside the cortex, 0 to 1."""

    eyes: float
    muscles: float


class _Fields(NamedTuple):
    """Orthonormal bases of what sources look like on a cap, whitened."""

    whitener: NDArray  # (n_channels, n_channels)
    eyes: NDArray  # (n_channels, n_variants, 3)
    muscles: NDArray  # (n_channels, n_sites, 2)
    cortex: NDArray  # (n_channels, n_regions, 1)


def signal_to_noise(evidence: Evidence) -> float | None:
    """Return the power of the signal over that of the noise, dB.

    Noise is what the baseline holds; without one, it is taken to be white, and as
    strong everywhere as in the upper half of all frequencies, as the networks take it.

    Returns
    -------
    float | None
        None of a filtered recording without a baseline, whose noise does not show.
    """
    eeg = evidence.eeg - evidence.eeg.mean(axis=0)
    power = np.mean(eeg**2)
    if not power:
        return None
    noise = evidence.noise_power
    if noise is None:
        noise = _spectral_noise(eeg)
        if noise < _FILTERED * power:
            return None
    least = 1e-3 * noise  # -30 dB
    return float(10 * np.log10(max(power - noise, least) / noise))


def _spectral_noise(eeg: NDArray) -> float:
    """Return the mean square of the upper half of frequencies (cosine transform)."""
    n_times = len(eeg)
    mirrored = np.concatenate([eeg, eeg[::-1]])
    power = np.abs(np.fft.rfft(mirrored, axis=0)[n_times // 2 : n_times]) ** 2
    return float(power.mean() / (2 * n_times))


def explained_shares(
    evidence: Evidence, activity: NDArray, sample: int
) -> tuple[float, float]:
    """Return the shares of the variance that an image explains, up to its scale.

    Parameters
    ----------
    evidence : Evidence
    activity : array of shape (n_regions, n_times)
        Proportional to current.
    sample : int
        Of the peak.

    Returns
    -------
    window, peak : float
        0 to 1; over all samples and at the peak, each with a scale of its own.
    """
    eeg, head = evidence.centered(), evidence.head
    gain = head.referenced_leadfield.astype(activity.dtype)  # of single precision: fast
    shown = (gain @ activity).T.astype(float)
    shown -= shown.mean(axis=0)
    return _share(shown, eeg), _share(shown[sample], eeg[sample])


def _share(shown: NDArray, data: NDArray) -> float:
    """Return the share of data that ``shown`` explains; none of the other polarity."""
    whole = (shown**2).sum() * (data**2).sum()
    return float(max((shown * data).sum(), 0) ** 2 / whole) if whole else 0.0


def best_region(evidence: Evidence, sample: int) -> tuple[int, float]:
    """Return the region that alone explains most of a scalp map, and which share."""
    data = evidence.centered()[sample]
    gain = evidence.head.referenced_leadfield
    size = (gain**2).sum(axis=0) * (data @ data)
    shares = (data @ gain) ** 2 / np.where(size > 0, size, np.inf)
    region = int(shares.argmax())
    return region, float(shares[region])


def artifact_shares(evidence: Evidence) -> Artifacts | None:
    """Return how much eyes and muscles could hold of the data, beside the cortex.

    For each place, the largest power that a source there can have had follows from the
    data's covariance (minimum variance; Capon 1969). That of the best place in the
    eyes is divided by its sum with that of the best region, and so for muscles. The
    field of an eye resembles those of frontal regions, so cortex alone gives a share
    above zero: see ``benchmarks/trust.py``.

    Parameters
    ----------
    evidence : Evidence
        The window of an image.

    Returns
    -------
    named tuple | None
        ``eyes`` and ``muscles``, each a share beside the cortex, 0 to 1. None where the
        electrodes are not on the template head, or all is zero.
    """
    fields, eeg = _fields_on(evidence.head), evidence.centered()
    if fields is None or not eeg.any():
        return None
    white = eeg @ fields.whitener
    covariance = white.T @ white
    covariance /= np.trace(covariance)
    n_channels = len(covariance)
    covariance += _LOADING / n_channels * np.eye(n_channels)
    inverse = np.linalg.inv(covariance)
    eyes, muscles, cortex = (
        _largest_power(inverse, bases)
        for bases in (fields.eyes, fields.muscles, fields.cortex)
    )
    return Artifacts(eyes / (eyes + cortex), muscles / (muscles + cortex))


def _largest_power(inverse: NDArray, bases: NDArray) -> float:
    """Return the power of the best source, by the inverse covariance of the data."""
    product = (inverse @ bases.reshape(len(bases), -1)).reshape(bases.shape)
    if bases.shape[-1] == 1:
        return float(1 / (bases * product).sum(axis=0).min())
    there = np.einsum("csd,cse->sde", bases, product)
    return float(1 / np.linalg.eigvalsh(there)[:, 0].min())


def _fields_on(head: HeadModel) -> _Fields | None:
    """Return the fields on a cap, from memory where they are there."""
    return _caps.get(lambda: _make_fields(head), head.leadfield, head.sensors)


def _make_fields(head: HeadModel) -> _Fields | None:
    if not _on_template(head):
        return None
    sources = load_artifact_sources()
    sites = sources.sites
    fields = average_reference(sources.at(head.sensors))
    whitener = source_whitener(head.leadfield)
    is_eye = sites.kind == "eye"
    eyes = np.stack(  # both turn together
        [
            fields[:, is_eye & (sites.variant == variant)].sum(axis=1)
            for variant in np.unique(sites.variant[is_eye])
        ]
    )
    # Fibers of muscles are parallel to the skin.
    along = np.linalg.svd(sites.outward[~is_eye][:, None])[2][:, 1:]
    muscles = np.einsum("csx,sdx->scd", fields[:, ~is_eye], along)
    cortex = whitener @ head.referenced_leadfield
    cortex /= np.linalg.norm(cortex, axis=0)
    eyes, muscles = (
        np.ascontiguousarray(np.linalg.qr(whitener @ each)[0].swapaxes(0, 1))
        for each in (eyes, muscles)
    )
    return _Fields(whitener, eyes, muscles, cortex[..., None])


def _on_template(head: HeadModel) -> bool:
    """Return whether the electrodes lie on the template's scalp, over its cortex."""
    if head.modality != "eeg" or head.cortex.name != load_cortex().name:
        return False
    off = np.linalg.norm(load_shells().project(head.sensors) - head.sensors, axis=1)
    return bool(np.median(off) < _OFF_SCALP)
