from __future__ import annotations

import numpy as np
import pytest
from mne.channels.interpolation import _make_interpolation_matrix
from toys import patch_response

from deepsif_lite.errors import ChannelError, SignalError
from deepsif_lite.head import load_head_model
from deepsif_lite.recordings.positions import electrode_positions, sphere
from deepsif_lite.recordings.quality import (
    are_of_electrodes,
    check_scales,
    check_values,
    find_drifts,
    find_unusable,
)
from deepsif_lite.recordings.splines import leave_one_out


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.fixture(scope="module")
def directions(head):
    points = electrode_positions(head.info)
    points = points - sphere(points)[1]
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_leave_one_out_is_mnes_spline_without_the_channel(head, directions):
    data = patch_response(head, 577)
    rest = leave_one_out(data, directions)
    for i in (0, 20, 74):
        others = np.delete(np.arange(75), i)
        spline = _make_interpolation_matrix(directions[others], directions[[i]])
        np.testing.assert_allclose(
            rest[i], data[i] - (spline @ data[others])[0], atol=1e-9 * data.max()
        )


@pytest.mark.parametrize("noise", [0.0, 1e-6, 5e-6])
def test_brain_responses_are_not_outlying(head, directions, noise):
    for region in range(0, 994, 29):
        data = patch_response(head, region, noise)
        assert find_unusable(data, directions).outlying == {}, region
        check_scales(data, head.ch_names)


@pytest.mark.parametrize("factor", [1e3, 1e4, 1e6])
def test_channels_in_another_unit_are_found(head, directions, factor):
    data = patch_response(head, 577)
    data[[2, 4, 15, 17]] *= factor
    found = find_unusable(data, directions)
    assert sorted(found.outlying) == [2, 4, 15, 17]
    assert all(factor / 10 < times < 10 * factor for times in found.outlying.values())


def test_noisy_flat_and_silent_channels_are_found(head, directions):
    data = patch_response(head, 577)
    data[20] += 50e-6 * np.random.default_rng(1).standard_normal(120)
    data[7] = 0
    strong = int(np.argmax(data.std(axis=1) * (np.arange(75) != 20)))
    data[strong] *= 1e-4
    found = find_unusable(data, directions)
    assert set(found.outlying) == {20}
    assert sorted(found.flat) == sorted([7, strong])


def test_two_units_in_one_file_are_refused(head):
    data = patch_response(head, 577)
    data[::2] *= 1e3
    with pytest.raises(SignalError, match="about 1e3 times") as raised:
        check_scales(data, head.ch_names)
    assert "'Fp1'" in str(raised.value)
    assert "'F7'" not in str(raised.value)


def test_drifts_above_the_signal_are_found(head):
    data = patch_response(head, 577, n_times=500)
    ramp = np.linspace(-0.5, 0.5, 500)
    assert len(find_drifts(data, 1.0)[0]) == 0
    data[:10] += 50e-6 * ramp
    drifting, drift, signal = find_drifts(data, 1.0)
    assert set(drifting) <= set(range(10))
    assert len(drifting) > 5
    assert drift == pytest.approx(50e-6, rel=0.2)
    assert 0 < signal < drift
    assert len(find_drifts(data, 0.2)[0]) == 0  # a response may rise through 200 ms
    slow = np.outer(np.ones(75), np.sin(2 * np.pi * np.arange(500) / 500))
    assert len(find_drifts(slow, 1.0)[0]) == 0


def test_neighbors_share_what_is_no_drift_of_electrodes(head, directions):
    """Of any size, on a few electrodes or all; a slow response, on its own or not."""
    rng = np.random.default_rng(0)
    for region in range(0, head.cortex.n_regions, 97):
        patch = [region, *head.cortex.neighbors[region]]
        field = head.leadfield[:, patch].sum(axis=1)
        field -= field.mean()
        field *= 20 / np.abs(field).max()
        drifts = rng.standard_normal((3, 75))
        drifts[1, rng.permutation(75)[:65]] = 0
        drifts -= drifts.mean(axis=1, keepdims=True)
        for size in (5, 1000):
            for drift in drifts:
                assert are_of_electrodes(size * drift, directions), region
            assert are_of_electrodes(size * drifts, directions), region
        assert not are_of_electrodes(field, directions), region
        assert not are_of_electrodes(-1e-6 * (field + 3 * drifts[0]), directions)
    assert not are_of_electrodes(drifts[:, :12], directions[:12])  # too few to tell


def test_values_that_cannot_be_eeg_are_refused(head):
    data, names = patch_response(head, 577), head.ch_names
    check_values(data, names)
    with pytest.raises(SignalError, match="microvolts"):
        check_values(1e6 * data, names)
    with pytest.raises(ChannelError, match="All EEG channels are flat"):
        check_values(0 * data, names)
    data[3, 5] = np.inf
    with pytest.raises(SignalError, match=names[3]):
        check_values(data, names)


def test_flat_channels_are_no_group_of_another_unit(head):
    data = response = patch_response(head, 577)
    data = np.where(np.arange(75)[:, None] % 2, data, 0.0)
    check_scales(data, head.ch_names)
    with pytest.raises(SignalError, match="two units"):
        check_scales(np.where(data, data, 1e-3 * response), head.ch_names)


def test_the_unit_that_is_likely_is_named(head):
    data = patch_response(head, 577)
    with pytest.raises(SignalError, match="probably microvolts.*by 1e-6"):
        check_values(1e6 * data, head.ch_names)
    with pytest.raises(SignalError, match="probably nanovolts.*by 1e-9"):
        check_values(1e9 * data, head.ch_names)
