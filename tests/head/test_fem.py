from __future__ import annotations

import numpy as np
import pytest

from deepsif_lite.head import (
    CHANNELS_75,
    load_fem_head,
    load_head_model,
    topography_correlation,
)
from deepsif_lite.head.fem import field_at, read_elc

FILES = (
    "fecnn/duneuropy/Data/dipoles_downsampled_5k.mat",
    "fecnn/duneuropy/Data/electrodes.elc",
    "fecnn/duneuropy/DataOut/leadfield_downsampled_5k.npy",
)


def test_electrodes_are_read_with_their_names():
    text = "UnitPosition\tmm\nPositions\n1.0 2 3\n4e1\t5 6\nNumberPolygons= 0\n"
    text += "TypePolygons= 3\nPolygons\nLabels\nCz\tOz\n"
    assert read_elc(text) == {"Cz": [1, 2, 3], "Oz": [40, 5, 6]}


def test_the_field_of_any_dipole_follows_from_those_around_it():
    # Far away, the potential of a dipole in a homogeneous medium is smooth in place.
    rng = np.random.default_rng(0)
    places = rng.uniform(-0.03, 0.03, size=(6000, 3))
    dipoles = np.column_stack([places, np.eye(3)[np.arange(6000) % 3]])
    electrodes = 0.1 * rng.normal(size=(12, 3))
    electrodes *= 0.1 / np.linalg.norm(electrodes, axis=1, keepdims=True)

    def potential(where, directions):
        away = electrodes[:, None] - where
        return (away * directions).sum(axis=2) / np.linalg.norm(away, axis=2) ** 3

    gain = potential(places, dipoles[:, 3:]).T
    where, directions = rng.uniform(-0.02, 0.02, size=(40, 3)), rng.normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    truth, found = (
        potential(where, directions),
        field_at(where, directions, dipoles, gain),
    )
    assert np.abs(found - truth).max() < 0.05 * np.abs(truth).max()


@pytest.mark.published(*FILES)
def test_maps_of_another_method_and_head_are_like_the_template():
    head = load_fem_head()
    assert set(CHANNELS_75) - set(head.ch_names) == {
        "T9", "P7", "T10", "Nz", "TP11", "TP12"
    }  # fmt: skip
    template = load_head_model("template", channels=head.ch_names)
    agreement = topography_correlation(head.leadfield, template.leadfield)
    # Mirrored or shifted, the median falls: the mapping is right.
    assert np.median(agreement) > 0.96
    assert agreement.min() > 0
    # Another method's volts a meter, with another skull.
    assert 0.5 < np.median(head.sensitivity / template.sensitivity) < 2
