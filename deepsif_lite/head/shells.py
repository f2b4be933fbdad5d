"""Three nested shells: inner skull, outer skull and scalp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import MismatchError
from ..mesh import cast_rays


@dataclass(frozen=True, eq=False)
class Shells:
    """Three nested closed surfaces, each star-shaped about one center.

    Attributes
    ----------
    center : array of shape (3,)
        Meters, MRI (surface RAS) frame.
    directions : array of shape (n_points, 3)
        Unit vectors from the center; shared by the three surfaces.
    faces : array of int, shape (n_faces, 3)
        Triangles, counter-clockwise seen from outside.
    inner_skull, outer_skull, scalp : array of shape (n_points,)
        Radius along each direction, meters.
    """

    center: NDArray
    directions: NDArray
    faces: NDArray
    inner_skull: NDArray
    outer_skull: NDArray
    scalp: NDArray

    def surface(self, name: str) -> NDArray:
        """Return the points of one surface, shape (n_points, 3), meters."""
        return self.center + self.directions * getattr(self, name)[:, None]

    def project(self, points: NDArray) -> NDArray:
        """Move points along the ray from the center onto the scalp."""
        rays = points - self.center
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        return self.center + rays * self.radius("scalp", rays)[:, None]

    def radius(self, name: str, rays: NDArray) -> NDArray:
        """Return the distance from the center to a surface along unit vectors, m.

        Parameters
        ----------
        name : {"inner_skull", "outer_skull", "scalp"}
        rays : array of shape (n_rays, 3)

        Returns
        -------
        array of shape (n_rays,)
        """
        outward = self.directions * getattr(self, name)[:, None]
        return cast_rays(rays, outward, self.faces)


def check_nested(shells: Shells) -> None:
    """Refuse surfaces that touch or cross (``MismatchError``)."""
    order = (np.zeros(1), shells.inner_skull, shells.outer_skull, shells.scalp)
    for below, above in zip(order, order[1:], strict=False):
        if not (above > below).all():
            msg = "shells: the surfaces touch or cross; widen skull or scalp."
            raise MismatchError(msg)


def check_inside(
    shells: Shells, positions: NDArray, compartment: str = "brain"
) -> None:
    """Refuse dipoles that are not in a compartment (``MismatchError``).

    Parameters
    ----------
    shells : Shells
    positions : array of shape (n_dipoles, 3)
        Meters.
    compartment : {"brain", "scalp"}
        Inside the inner skull, or between outer skull and skin.
    """
    if compartment == "brain":
        inside, border = clearance(shells, positions) > 0, "the inner skull"
    else:
        below, above = (
            clearance(shells, positions, name) for name in ("outer_skull", "scalp")
        )
        inside, border = (below < 0) & (above > 0), "the scalp compartment"
    if not inside.all():
        outside = np.flatnonzero(~inside)
        msg = (
            f"positions: {len(outside)} dipoles lie outside {border}, "
            f"the first is number {outside[0]}; move them, or leave them out."
        )
        raise MismatchError(msg)


def clearance(
    shells: Shells, positions: NDArray, surface: str = "inner_skull"
) -> NDArray:
    """Return how far each point lies inside a surface, along its radius (m).

    Parameters
    ----------
    shells : Shells
    positions : array of shape (n_points, 3)
        Meters.
    surface : {"inner_skull", "outer_skull", "scalp"}

    Returns
    -------
    array of shape (n_points,)
        Negative outside.
    """
    rays = positions - shells.center
    radius = np.linalg.norm(rays, axis=1)
    rays = rays / np.where(radius > 0, radius, 1)[:, None]
    rays[radius == 0] = (0, 0, 1)  # at the center any direction will do
    return shells.radius(surface, rays) - radius
