"""Split EEG into a few scalp maps, each with one time course."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .signal_band import band_spectrum, wiener_filter

_N_ITERATIONS = 4  # of the subspace
_OVERSAMPLING = 2  # columns iterated for each mode that is kept
_LEAST_POWER = 1e-12  # keeps courses finite where a map has none


class LinearAlgebra(NamedTuple):
    """The decompositions that modes need; formats without them bring their own.

    Attributes
    ----------
    orthonormal : callable
        Columns (n_samples, n_rows, n_columns) to an orthonormal basis of their span.
    eigh : callable
        Symmetric matrices to eigenvalues, ascending, and eigenvectors in columns.
    """

    orthonormal: Callable[[Tensor], Tensor]
    eigh: Callable[[Tensor], tuple[Tensor, Tensor]]


def _qr_basis(columns: Tensor) -> Tensor:
    return torch.linalg.qr(columns)[0]


TORCH_LINALG = LinearAlgebra(_qr_basis, torch.linalg.eigh)


def temporal_modes(
    eeg: Tensor,
    n_modes: int,
    *,
    linalg: LinearAlgebra = TORCH_LINALG,
) -> tuple[Tensor, Tensor, Tensor]:
    """Split EEG into its strongest scalp maps and their time courses.

    The leading singular vectors of the frequencies that stand out of the noise (see
    ``signal_band.py``), by subspace iteration on the channel
    covariance (a few small products instead of one large decomposition a sample). In
    double precision: modes of similar strength mix easily, and two ways to compute
    them must agree after the network has taken logarithms of small misfits. Courses
    are what the maps record in all frequencies, without their noise.

    Parameters
    ----------
    eeg : tensor of shape (n_samples, n_times, n_channels)
    n_modes : int
        Modes kept; fewer than channels and time points.
    linalg : LinearAlgebra
        How to decompose matrices.

    Returns
    -------
    topographies : tensor of shape (n_samples, n_modes, n_channels)
        Unit norm; sign such that the largest deflection of the course is positive.
    strengths : tensor of shape (n_samples, n_modes)
        Root mean square of what each map records in the signal's band, descending.
    courses : tensor of shape (n_samples, n_modes + 1, n_times)
        Of strong modes nearly of unit root mean square and orthogonal; the last is
        constant.
    """
    n_times, n_channels = eeg.shape[-2:]
    size = min(_OVERSAMPLING * n_modes, n_channels - 1)
    with torch.no_grad(), torch.autocast(eeg.device.type, enabled=False):
        eeg = eeg.float()
        spectrum, _ = band_spectrum(eeg, size)
        spectrum = spectrum.double()
        covariance = spectrum.mT @ spectrum / n_times
        basis = _start(n_channels, size).to(spectrum)
        for _ in range(_N_ITERATIONS):
            basis = linalg.orthonormal(covariance @ basis)
        small = basis.transpose(1, 2) @ covariance @ basis
        power, rotation = linalg.eigh(small)
        order = torch.arange(size - 1, size - 1 - n_modes, -1, device=eeg.device)
        maps = (basis @ rotation[..., order]).transpose(1, 2).float()
        strengths = power[:, order].clamp_min(_LEAST_POWER).sqrt().float()
        courses = wiener_filter(eeg @ maps.mT).mT / strengths[..., None]
        peak = courses.abs().argmax(-1, keepdim=True)
        sign = courses.gather(-1, peak).sign()
        constant = torch.ones_like(courses[:, :1])
        courses = torch.cat([courses * sign, constant], 1)
        # In memory channels follow each other, or products take the samples one by one.
        return (maps * sign).contiguous(), strengths, courses


@lru_cache(maxsize=8)
def _start(n_channels: int, size: int) -> Tensor:
    """Return columns to begin with; fixed, so that modes do not depend on the batch."""
    return torch.randn(n_channels, size, generator=torch.Generator().manual_seed(0))
