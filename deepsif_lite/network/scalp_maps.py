"""Scalp maps of patches, and the whitening in which they are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..signals import referenced

# White noise against the cortex's own, both a channel. Of simulated patches on the known
# head, 0.2 tells true from nearly true ones best. But it trusts fine differences between
# electrodes, which a template head does not have right (chapters 3 and 6).
NOISE_SHARE = 1.0


def source_whitener(
    leadfield: NDArray, noise_share: float = NOISE_SHARE, modality: str = "eeg"
) -> NDArray:
    """Return the matrix that whitens the EEG of a cortex active all over.

    Spatial noise of EEG is mostly brain: nearby channels share it. If every parcel is
    active by itself and alike, its covariance is ``L L'``; sensor noise adds a
    multiple of the identity. Maps compared after whitening differ where they differ
    beyond what such noise explains.

    Parameters
    ----------
    leadfield : array of shape (n_channels, n_regions)
    noise_share : float
        Variance of sensor noise as a multiple of the mean variance of brain noise.
    modality : {"eeg", "meg"}

    Returns
    -------
    whitener : array of shape (n_channels, n_channels)
        Symmetric; of average-referenced EEG, or MEG (any unit).
    """
    leadfield = referenced(leadfield, modality)
    covariance = leadfield @ leadfield.T
    covariance *= len(covariance) / np.trace(covariance)
    values, vectors = np.linalg.eigh(covariance + noise_share * np.eye(len(covariance)))
    return (vectors / np.sqrt(values)) @ vectors.T


def unit_maps(leadfield: NDArray, weights: NDArray) -> NDArray:
    """Scalp maps of patches, each of norm one.

    Parameters
    ----------
    leadfield : array of shape (n_channels, n_regions)
    weights : array of shape (n_patches, n_regions)

    Returns
    -------
    maps : array of shape (n_patches, n_channels)
    """
    maps = weights @ leadfield.T
    return maps / np.linalg.norm(maps, axis=1, keepdims=True)
