"""Probabilities that are true of people, from those that are true of computed heads.

A network learns from heads that are computed. A person's differs from all of them, so
that more of the network's sure regions are wrong. How many more is known from simulated
recordings of heads that no model computes (``head.imprecision``), and a curve with three
numbers takes it into account. The order of regions stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-6  # keeps logarithms finite


class BetaCalibration(NamedTuple):
    """A curve from probabilities to the frequencies with which they come true.

    The log odds become a log(p) - b log(1 - p) + c [1]_. With a = b = 1 and c = 0 they
    stay; a small b lowers probabilities near 1 alone.

    Attributes
    ----------
    a, b, c : float

    References
    ----------
    .. [1] Kull M, Silva Filho T, Flach P (2017). Beta calibration: a well-founded and
       easily implemented improvement on logistic calibration for binary classifiers.
       AISTATS, PMLR 54.
    """

    a: float
    b: float
    c: float

    @classmethod
    def fit(cls, told: NDArray, true: NDArray) -> BetaCalibration:
        """Fit the curve to what came true, by logistic regression.

        Parameters
        ----------
        told : array of shape (...)
            Probabilities.
        true : array of bool, the same shape
        """
        from sklearn.linear_model import LogisticRegression

        # So large a C is no penalty, and every version knows the argument.
        regression = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000)
        regression.fit(_logarithms(told.ravel()), true.ravel())
        return cls(*map(float, (*regression.coef_[0], regression.intercept_[0])))

    def apply(self, probability: NDArray) -> NDArray:
        """Return recalibrated probabilities, of the same shape and type."""
        odds = _logarithms(probability) @ np.array([self.a, self.b]) + self.c
        return (1 / (1 + np.exp(-odds))).astype(probability.dtype)


def of_people(probability: NDArray | None, card: dict) -> NDArray | None:
    """Return the probabilities of a network as images of recordings have them.

    Parameters
    ----------
    probability : array of shape (..., n_regions) | None
        As the network gives them.
    card : dict
        Of the network; it stays as it is where the card has no curve.
    """
    if probability is None or "recalibration" not in card:
        return probability
    return BetaCalibration(*card["recalibration"]["curve"]).apply(probability)


def _logarithms(probability: NDArray) -> NDArray:
    """Return log(p) and -log(1 - p), of shape (..., 2)."""
    p = np.clip(probability.astype(float), _LEAST, 1 - _LEAST)
    return np.stack([np.log(p), -np.log1p(-p)], axis=-1)
