"""Smooth random deformations of a whole head: other people's head shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..cortex.surface import Cortex
from ..mesh import normals_and_areas
from .shells import Shells

# How much heads of adults differ from each other, as used here: standard deviation of
# length, width and height, and of the radius after smooth bumps.
_SIZE_SD = 0.04
_BUMP_SD = 0.02
_N_BUMPS = 12
_BUMP_SHARPNESS = 4.0  # exp(4 (cos - 1)): half height at about 34 degrees


@dataclass(frozen=True, eq=False)
class HeadShape:
    """A smooth deformation of a whole head: its size along each axis, and bumps.

    A point at distance r from the center in direction d goes to
    ``size * r * d * (1 + bumps(d))``, so that nested star-shaped shells stay nested
    and star-shaped.

    Attributes
    ----------
    center : array of shape (3,)
        Meters.
    size : array of shape (3,)
        Factors for width, length, height.
    places : array of shape (n_bumps, 3)
        Unit vectors.
    heights : array of shape (n_bumps,)
        Relative change of the radius at each place.
    """

    center: NDArray
    size: NDArray
    places: NDArray
    heights: NDArray

    @classmethod
    def random(cls, seed: int, center: NDArray) -> HeadShape:
        """Draw a plausible head."""
        rng = np.random.default_rng(seed)
        size = 1 + _SIZE_SD * np.clip(rng.normal(size=3), -2, 2)
        places = rng.normal(size=(_N_BUMPS, 3))
        places /= np.linalg.norm(places, axis=1, keepdims=True)
        heights = rng.normal(size=_N_BUMPS)
        # Scale to the wanted spread over directions that cover the sphere evenly.
        shape = cls(center, size, places, heights)
        everywhere = rng.normal(size=(2000, 3))
        everywhere /= np.linalg.norm(everywhere, axis=1, keepdims=True)
        spread = shape._bumps(everywhere).std()
        return replace(shape, heights=heights * _BUMP_SD / spread)

    def _bumps(self, directions: NDArray) -> NDArray:
        return np.exp(_BUMP_SHARPNESS * (directions @ self.places.T - 1)) @ self.heights

    def points(self, points: NDArray) -> NDArray:
        """Deform points, array of shape (n_points, 3), meters."""
        rays = points - self.center
        directions = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        stretched = rays * (1 + self._bumps(directions))[:, None]
        return self.center + self.size * stretched

    def cortex(self, cortex: Cortex) -> Cortex:
        """Deform the sources and turn their normals with them."""
        vertices = self.points(cortex.vertices)
        normals, _ = normals_and_areas(vertices, cortex.faces)
        return replace(cortex, vertices=vertices, normals=normals)

    def shells(self, shells: Shells) -> Shells:
        """Deform the three surfaces."""
        surfaces = {
            name: self.points(shells.surface(name)) - self.center
            for name in ("inner_skull", "outer_skull", "scalp")
        }
        radii = {name: np.linalg.norm(rays, axis=1) for name, rays in surfaces.items()}
        directions = surfaces["scalp"] / radii["scalp"][:, None]
        return replace(shells, directions=directions, **radii)
