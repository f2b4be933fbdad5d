from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import head
from deepsif_lite.cortex import load_cortex
from deepsif_lite.head import HeadShape, clearance


@pytest.fixture(scope="module")
def shells():
    return head.template_shells(8)


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_a_head_shape_keeps_its_shells_nested_around_the_cortex(shells, seed):
    shape = HeadShape.random(seed, shells.center)
    other, cortex = shape.shells(shells), shape.cortex(load_cortex())
    assert (other.inner_skull < other.outer_skull).all()
    assert (other.outer_skull < other.scalp).all()
    assert clearance(other, cortex.vertices[::11]).min() > 0
    for name in ("inner_skull", "outer_skull", "scalp"):
        direct = shape.points(shells.surface(name))
        np.testing.assert_allclose(other.surface(name), direct, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(cortex.normals, axis=1), 1)
    assert (cortex.normals * load_cortex().normals).sum(axis=1).mean() > 0.98


def test_a_pure_scaling_moves_points_in_proportion(shells):
    shape = HeadShape(shells.center, np.array([1.1, 1.0, 0.9]), np.eye(3), np.zeros(3))
    points = shells.center + np.eye(3)
    moved = shape.points(points) - shells.center
    np.testing.assert_allclose(moved, np.diag([1.1, 1.0, 0.9]))
