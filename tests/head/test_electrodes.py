from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite import head
from deepsif_lite.head import electrodes


def test_75_channels_are_distinct_and_in_the_published_order(published):
    from scipy.io import loadmat

    path = published("deepsif/anatomy/electrode_75.mat")
    table = loadmat(path, squeeze_me=True)["eloc75"]
    assert tuple(str(label) for label in table["labels"]) == electrodes.CHANNELS_75
    assert len(set(electrodes.CHANNELS_75)) == 75


def test_left_and_right_mirror_each_other():
    positions = electrodes.template_positions(
        electrodes.CHANNELS_75, head.fiducials()[1]
    )
    for left, right in (("C3", "C4"), ("T9", "T10"), ("TP11", "TP12"), ("O1", "O2")):
        mirrored = positions[right] * (-1, 1, 1)
        assert np.linalg.norm(positions[left] - mirrored) < 4e-3
    assert np.linalg.norm(positions["Nz"] - head.fiducials()[1]) == 0


def test_unknown_electrode_is_named():
    with pytest.raises(ValueError, match="Q7"):
        electrodes.template_positions(["Cz", "Q7"], np.zeros(3))


def test_subject_frame_puts_nose_and_ears_on_its_axes():
    left, nasion, right = head.fiducials()
    origin, axes = electrodes.subject_frame(head.fiducials())
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    forward = axes @ (nasion - origin)
    assert forward[0] > 0.1
    np.testing.assert_allclose(forward[1:], 0, atol=1e-12)
    assert (axes @ (left - origin))[1] > 0
    assert (axes @ (right - origin))[1] < 0


@pytest.mark.published("deepsif/anatomy/electrode_75.mat")
def test_published_cap_sits_about_two_centimeters_too_low():
    """Read in the ear frame without a shift, it is low by 1.5 to 2.5 cm."""
    cap = electrodes.published_cap(head.fiducials())
    nominal = electrodes.template_positions(list(cap), head.fiducials()[1])
    names = [name for name in cap if name not in ("Nz", "TP11", "TP12")]
    drop = np.median([nominal[name][2] - cap[name][2] for name in names])
    assert 0.015 < drop < 0.025
