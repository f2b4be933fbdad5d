"""Patches and noise whose covariance is that of greatest evidence.

The search of sparse Bayesian learning: see :mod:`deepsif_lite.solvers.champagne` for the
model and its sources.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

AVERAGING_SHARE = 1 / 3
"""Of samples that count, where candidates are averaged: shapes are only similar."""

_MOST_SOURCES = 8
_UPDATES = 10  # of the variances between two changes of the patches
_LEAST_WEIGHT = 1e-3  # of a candidate that is averaged, relative to the best
_FLOOR = 1e-12  # of the learned noise, relative to the data: keeps it invertible


class PatchModel:
    """Patches and noise that explain the covariance of data.

    Parameters
    ----------
    data : array of shape (n_channels, n_times)
        Whitened, mean square near one.
    gain : array of shape (n_channels, n_regions)
        Whitened leadfield.
    candidates : array of shape (n_channels, n_candidates)
        Whitened topography of each candidate.
    n_effective : float
        Samples that the evidence counts.

    Attributes
    ----------
    chosen : list of int
        Candidates in the model.
    variances : array of shape (n_chosen,)
    kinds : array of shape (2, n_channels, n_channels)
        Covariance of sensor noise and of background activity, mean variance one.
    noise : array of shape (2,)
        Variance of each.
    log_evidence : list of float
        After each change.
    """

    def __init__(
        self, data: NDArray, gain: NDArray, candidates: NDArray, n_effective: float
    ) -> None:
        n_channels = len(data)
        self.data, self.candidates, self.n_effective = data, candidates, n_effective
        self.covariance = data @ data.T / data.shape[1]
        values, vectors = np.linalg.eigh(self.covariance)
        self._root = (vectors * np.sqrt(np.maximum(values, 0))).T
        background = gain @ gain.T
        background *= n_channels / np.trace(background)
        self.kinds = np.stack([np.eye(n_channels), background])
        power = np.trace(self.covariance) / n_channels
        self.noise = np.full(2, max(power, _FLOOR) / 2)
        self.chosen: list[int] = []
        self.variances = np.zeros(0)
        self.log_evidence: list[float] = []

    @property
    def noise_power(self) -> NDArray:
        """Mean variance of a channel by sensor noise and by background, (2,)."""
        return self.noise * np.trace(self.kinds, axis1=1, axis2=2) / len(self.data)

    def search(self) -> None:
        """Add patches, each time improving all others, while evidence demands it."""
        self.learn(_UPDATES)
        while len(self.chosen) < _MOST_SOURCES:
            log_gain, variance = self.gains()
            best = int(log_gain.argmax())
            if log_gain[best] <= self._price():
                break
            self._include(len(self.chosen), best, variance[best])
            self.learn(_UPDATES)
            if len(self.chosen) > 1:
                self._exchange()
                self.learn(_UPDATES)

    def _price(self) -> float:
        """Return what a further source must add: the price of the choice.

        Whether there is a source at all is a matter of the places that so many
        channels tell apart; a further one may only mend the shape of another.
        """
        n_places, n_candidates = self.candidates.shape
        return float(np.log(n_candidates if self.chosen else n_places))

    def learn(self, n_updates: int) -> None:
        """Improve all variances by the convexity-based update."""
        for _ in range(n_updates):
            inverse = np.linalg.inv(self.model_covariance())
            weighted = inverse @ self.covariance @ inverse
            h = self.candidates[:, self.chosen]
            seen = (h * (weighted @ h)).sum(axis=0)
            expected = (h * (inverse @ h)).sum(axis=0)
            self.variances = self.variances * np.sqrt(seen / expected)
            of_kind = (self.kinds * weighted).sum(axis=(1, 2))
            ratio = of_kind / (self.kinds * inverse).sum(axis=(1, 2))
            self.noise = np.maximum(self.noise * np.sqrt(ratio), _FLOOR)
            self._note()

    def gains(self, without: int | None = None) -> tuple[NDArray, NDArray]:
        """Return the log evidence that each candidate adds, and its best variance.

        Parameters
        ----------
        without : int | None
            Which of the chosen patches to leave out.
        """
        seen, expected = self._match(self._inverse(without))
        ratio = np.maximum(seen / expected, 1)
        log_gain = self.n_effective / 2 * (ratio - 1 - np.log(ratio))
        return log_gain, (ratio - 1) / expected

    def activity(self, members: csr_array) -> NDArray:
        """Return the posterior mean, each source averaged over its candidates.

        Beside them a further source, which the evidence does not demand, is there by
        the odds of its gain against the price of the choice, at most even ones.

        Parameters
        ----------
        members : sparse array, shape (n_candidates, n_regions)

        Returns
        -------
        array of shape (n_times, n_regions)
        """
        if not self.chosen:
            return np.zeros((self.data.shape[1], members.shape[1]))
        sources = sum(self._averaged(k, members) for k in range(len(self.chosen)))
        log_gain, _ = self.gains()
        excess = min(log_gain.max() - self._price(), 0.0)  # above 0: too many for it
        further = 1 / (1 + np.exp(-excess))
        return sources + further * self._averaged(None, members)

    def _averaged(self, place: int | None, members: csr_array) -> NDArray:
        """Return the activity of a source, or of a further one, (n_times, n_regions)."""
        log_gain, variance = self.gains(place)
        weight = np.exp(AVERAGING_SHARE * (log_gain - log_gain.max()))
        likely = np.flatnonzero((weight > _LEAST_WEIGHT) & (variance > 0))
        inverse, h = self._inverse(place), self.candidates[:, likely]
        matched = h.T @ inverse
        shrunk = variance[likely] / (1 + variance[likely] * (matched * h.T).sum(axis=1))
        share = weight[likely] / max(weight[likely].sum(), np.finfo(float).tiny)
        topography = members[likely].T @ ((share * shrunk)[:, None] * matched)
        return (topography @ self.data).T

    def model_covariance(self, without: int | None = None) -> NDArray:
        """Return the covariance of patches and noise."""
        kept = [k for k in range(len(self.chosen)) if k != without]
        h = self.candidates[:, [self.chosen[k] for k in kept]]
        noise = np.tensordot(self.noise, self.kinds, 1)
        return noise + (h * self.variances[kept]) @ h.T

    def residual(self) -> NDArray:
        """Return the data less what the sources make of them, posterior mean."""
        h = self.candidates[:, self.chosen]
        explained = (h * self.variances) @ h.T
        return self.data - explained @ np.linalg.solve(
            self.model_covariance(), self.data
        )

    def _inverse(self, without: int | None) -> NDArray:
        return np.linalg.inv(self.model_covariance(without))

    def _match(self, inverse: NDArray) -> tuple[NDArray, NDArray]:
        """Return how strong each candidate is in the data, and would be by chance."""
        matched = inverse @ self.candidates
        expected = (self.candidates * matched).sum(axis=0)
        return ((self._root @ matched) ** 2).sum(axis=0), expected

    def _include(self, place: int, candidate: int, variance: float) -> None:
        self.chosen[place : place + 1] = [candidate]
        self.variances = np.concatenate(
            [self.variances[:place], [variance], self.variances[place + 1 :]]
        )
        self._note()

    def _exchange(self) -> None:
        """Give each source in turn the candidate that is best beside the others."""
        for place in range(len(self.chosen)):
            log_gain, variance = self.gains(place)
            best = int(log_gain.argmax())
            if log_gain[best] > 0:
                self._include(place, best, variance[best])

    def _note(self) -> None:
        model = self.model_covariance()
        misfit = np.trace(np.linalg.solve(model, self.covariance))
        value = np.linalg.slogdet(model)[1] + misfit
        self.log_evidence.append(-self.n_effective / 2 * value)
