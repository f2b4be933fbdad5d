"""What is true of a sample, set up once to score many estimates of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError, SignalError, check_shape

if TYPE_CHECKING:
    from ..cortex.parcels import Parcels


class Truth:
    """The true sources of a sample, and what all scores against them share.

    Which source is nearest to a region, and how far it is, depends on the truth alone.
    All sums over the regions that a source was given are then one product, for every
    source and every selection of regions of an estimate.

    Parameters
    ----------
    activity : array of shape (n_times, n_regions)
        True activity.
    patches : sequence of arrays of int
        Regions of each true source, its seed region first.
    cortex : Cortex
        Distances and areas of the regions.

    Raises
    ------
    OptionError
        There is no patch, or a region does not exist.
    """

    def __init__(
        self, activity: NDArray, patches: Sequence[NDArray], cortex: Parcels
    ) -> None:
        activity, areas = np.asarray(activity), cortex.areas
        self.patches = [np.asarray(patch, dtype=int) for patch in patches]
        _check_patches(self.patches, len(areas))
        self._shape, self._n_regions = activity.shape, len(areas)
        self._sizes = np.array([len(patch) for patch in self.patches], dtype=float)
        self._areas = np.array([areas[patch].sum() for patch in self.patches])
        distance = np.stack([cortex.distances[:, p].min(axis=1) for p in self.patches])
        # Ties go to the first source.
        self._nearest = distance.argmin(axis=0) == np.arange(len(distance))[:, None]
        inside = np.zeros(distance.shape)
        for row, patch in zip(inside, self.patches, strict=True):
            row[patch] = 1
        one = np.ones(distance.shape)
        # What is to be summed over regions, (n_sources, n_regions, 5).
        self._terms = np.stack(
            [one, inside, areas * one, areas * inside, distance], axis=-1
        )
        self._courses = _unit_norm(activity[:, [patch[0] for patch in self.patches]])

    def scores(
        self, activity: NDArray, selections: Sequence[NDArray]
    ) -> list[list[dict[str, float]]]:
        """Score each source for each of several selections of regions.

        Parameters
        ----------
        activity : array of shape (n_times, n_regions)
            Estimated activity.
        selections : sequence of arrays of int
            Regions that count as active.

        Returns
        -------
        list of list of dict
            For each selection what :func:`deepsif_lite.metrics.score_sources` returns.

        Raises
        ------
        SignalError
            Shapes do not match.
        """
        self._check(activity)
        active = np.zeros((len(selections), 1, self._n_regions), dtype=bool)
        for row, selection in zip(active[:, 0], selections, strict=True):
            row[selection] = True
        found = active & self._nearest  # (n_selections, n_sources, n_regions)
        columns = self._of_regions(found)
        columns["correlation"] = self._correlation(activity, found)
        table = np.stack(list(columns.values()), axis=-1).tolist()
        return [
            [dict(zip(columns, row, strict=True)) for row in rows] for rows in table
        ]

    def _of_regions(self, found: NDArray) -> dict[str, NDArray]:
        """Return the scores, (n_selections, n_sources), that regions alone decide."""
        sums = found.swapaxes(0, 1).astype(float) @ self._terms
        count, hit, area, area_hit, distance = np.moveaxis(sums, -1, 0).swapaxes(1, 2)
        detected = count > 0
        with np.errstate(invalid="ignore"):  # 0 / 0 where a source is missed
            return {
                "detected": detected.astype(float),
                "precision": hit / count,
                "recall_detected": hit / np.where(detected, self._sizes, np.nan),
                "precision_area": area_hit / area,
                "recall_area_detected": area_hit
                / np.where(detected, self._areas, np.nan),
                "localization_error": distance / count,
                "area_true": np.broadcast_to(self._areas, area.shape),
                "area_found": area,
            }

    def _correlation(self, activity: NDArray, found: NDArray) -> NDArray:
        """Correlate the mean course of the regions found with that of each seed."""
        members = found.reshape(-1, self._n_regions).T.astype(activity.dtype)
        sums = (activity @ members).reshape(len(activity), *found.shape[:2])
        return np.einsum("tks,ts->ks", _unit_norm(sums), self._courses)

    def _check(self, activity: NDArray) -> None:
        check_shape("activity", activity.shape, ("n_times", self._n_regions))
        if activity.shape != self._shape:
            msg = (
                f"activity {activity.shape} and truth_activity {self._shape} "
                "must have the same shape (n_times, n_regions)."
            )
            raise SignalError(msg)


def _unit_norm(courses: NDArray) -> NDArray:
    """Take the mean over time and the scale from courses; NaN where one is constant."""
    courses = np.asarray(courses, dtype=float)
    courses = courses - courses.mean(axis=0)
    norm = np.linalg.norm(courses, axis=0)
    return courses / np.where(norm > 0, norm, np.nan)


def _check_patches(patches: Sequence[NDArray], n_regions: int) -> None:
    if not patches or any(
        not len(p) or p.min() < 0 or p.max() >= n_regions for p in patches
    ):
        msg = f"patches must be non-empty sets of regions in 0..{n_regions - 1}."
        raise OptionError(msg)
