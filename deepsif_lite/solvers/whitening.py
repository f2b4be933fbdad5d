"""Average reference and whitening of data and leadfield, shared by the solvers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ChannelError, SignalError, check_option, check_shape

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead


NOISE = ("diagonal", "ledoit_wolf", "shrunk", "empirical")
"""Ways to estimate a noise covariance, see :func:`noise_covariance`."""

DEFAULT_NOISE = "diagonal"
LARGEST = 1e12  # of a parameter of a solver; beyond is infinity or a slip of the hand


def noise_covariance(baseline: np.ndarray, method: str = DEFAULT_NOISE) -> np.ndarray:
    """Estimate the noise covariance from samples without signal.

    Parameters
    ----------
    baseline : array of shape (n_times, n_channels)
        EEG, V.
    method : {"diagonal", "ledoit_wolf", "shrunk", "empirical"}
        ``"diagonal"`` keeps the variances alone, as if noise were independent, which
        needs the fewest samples. ``"ledoit_wolf"`` shrinks the empirical covariance
        towards equal and independent noise, by what the samples tell; ``"shrunk"`` by
        a tenth, scikit-learn's default. ``"empirical"`` needs several times more
        samples than channels.

    Returns
    -------
    array of shape (n_channels, n_channels)
        Covariance, V^2.

    Raises
    ------
    OptionError
        The method is unknown.
    ChannelError
        A channel does not vary.

    Notes
    -----
    Over a background of the whole cortex, whitening by it also weakens sources, which
    look alike: in simulations where the two are equally strong, sLORETA finds less by
    ``"ledoit_wolf"`` than by ``"diagonal"``, and more where the source is three times
    as strong. So the diagonal is the default, and the others are for clear responses.
    """
    from sklearn.covariance import empirical_covariance, ledoit_wolf, shrunk_covariance

    check_option("method", method, NOISE)
    # scikit-learn's estimates lose precision on values near 1e-6 (volts).
    scale = baseline.std()
    if not baseline.std(axis=0).all():
        flat = np.flatnonzero(baseline.std(axis=0) == 0).tolist()
        msg = f"Channels {flat} are constant in the baseline; drop or interpolate them."
        raise ChannelError(msg)
    scaled = (baseline - baseline.mean(axis=0)) / scale
    if method == "ledoit_wolf":
        cov = ledoit_wolf(scaled)[0]
    else:
        cov = empirical_covariance(scaled)
    if method == "diagonal":
        cov = np.diag(np.diag(cov))
    elif method == "shrunk":
        cov = shrunk_covariance(cov)
    return cov * scale**2


def whiten(
    eeg: np.ndarray, head: HeadModel | TrainingHead, noise_cov: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Bring data and leadfield to one reference and to unit noise.

    The average reference takes one dimension away; what remains is expressed in
    the eigenvectors of the noise covariance. MEG has no reference and keeps all.

    Parameters
    ----------
    eeg : array of shape (n_times, n_channels)
        EEG, V, or MEG, T.
    head : HeadModel | TrainingHead
        Leadfield, V/(A m) or T/(A m).
    noise_cov : array of shape (n_channels, n_channels) | None
        Noise covariance, V^2 or T^2. None: equal and independent on all channels.

    Returns
    -------
    data : array of shape (rank, n_times)
        Whitened recording; the rank of EEG is ``n_channels - 1``, of MEG
        ``n_channels``.
    gain : array of shape (rank, n_regions)
        Whitened leadfield.

    Raises
    ------
    SignalError
        Shapes do not match, values are not finite, or the covariance is not
        positive on the referenced channels.
    """
    n_channels = len(head.leadfield)
    eeg = np.asarray(eeg, dtype=float)
    cov = np.eye(n_channels) if noise_cov is None else np.asarray(noise_cov, float)
    check_shape("eeg", eeg.shape, ("n_times", n_channels))
    if not np.isfinite(eeg).all():
        msg = "eeg holds NaN or infinite values; drop those channels."
        raise SignalError(msg)
    values, vectors = _spectrum(cov, head)
    whitener = (vectors / np.sqrt(values)).T
    return whitener @ eeg.T, whitener @ head.leadfield


def whitening_matrix(
    noise_cov: np.ndarray, head: HeadModel | TrainingHead
) -> np.ndarray:
    """Return the matrix that whitens channels and keeps each as near to itself as can be.

    Of all whitening matrices the symmetric one changes the channels least (Kessy et al.
    2018, The American Statistician 72, 309-314), so that they stay electrodes with a
    place. It takes the average reference too.

    Parameters
    ----------
    noise_cov : array of shape (n_channels, n_channels)
        Noise covariance, V^2 or T^2.
    head : HeadModel | TrainingHead
        With these channels.

    Returns
    -------
    array of shape (n_channels, n_channels)
        1/V or 1/T; ``matrix @ head.leadfield`` and ``eeg @ matrix`` are whitened.

    Raises
    ------
    SignalError
        As of :func:`whiten`.
    """
    values, vectors = _spectrum(np.asarray(noise_cov, dtype=float), head)
    return (vectors / np.sqrt(values)) @ vectors.T


def _spectrum(
    cov: np.ndarray, head: HeadModel | TrainingHead
) -> tuple[np.ndarray, np.ndarray]:
    """Return variances and maps of the noise on the reference, without the lost one."""
    n_channels = len(head.leadfield)
    check_shape("noise_cov", cov.shape, (n_channels, n_channels))
    if not np.isfinite(cov).all():
        msg = "noise_cov holds NaN or infinite values; drop those channels."
        raise SignalError(msg)
    lost = int(head.modality == "eeg")  # to the reference
    reference = np.eye(n_channels) - lost / n_channels
    values, vectors = np.linalg.eigh(reference @ cov @ reference)
    values, vectors = values[lost:], vectors[:, lost:]
    if values[0] <= 1e-12 * values[-1]:
        msg = (
            "noise_cov is not positive definite on the channels; "
            "use noise_covariance(..., method='diagonal')."
        )
        raise SignalError(msg)
    return values, reference @ vectors
