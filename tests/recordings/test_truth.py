"""Whatever happened to a recording, its image shows the simulated patch, or it is refused.

One patch of the template, with noise; the strongest region must lie within 10 mm.
"""

from __future__ import annotations

import warnings

import mne
import numpy as np
import pytest

from deepsif_lite.errors import SignalError, WindowError
from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import image, load_model
from deepsif_lite.recordings.positions import electrode_positions, sphere

SEED, WITHIN = 577, 0.010


@pytest.fixture(scope="module")
def head():
    return load_head_model("template-75")


@pytest.fixture(scope="module")
def patch(head):
    return [SEED, *head.cortex.neighbors[SEED]]


@pytest.fixture(scope="module")
def data(head, patch):
    """60 uV at 0.5 s in noise of 1 uV, 500 Hz."""
    field = head.leadfield[:, patch].sum(axis=1)
    field -= field.mean()
    course = np.exp(-(((np.arange(500) / 500 - 0.5) / 0.025) ** 2))
    noise = np.random.default_rng(0).standard_normal((75, 500))
    return 60e-6 / np.abs(field).max() * np.outer(field, course) + 1e-6 * noise


@pytest.fixture(scope="module")
def network():
    return load_model("lite-75")


@pytest.fixture(params=["sloreta", "deepsif"])
def check(request, head, patch, network):
    """Image by one method and compare with the patch; returns what was warned of."""

    def compare(evoked, **options):
        if request.param == "deepsif":
            options |= {"model": network}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = image(evoked, request.param, head, **options)
        strongest = int((found.activity**2).sum(axis=1).argmax())
        away = head.cortex.distances[strongest, patch].min()
        assert away <= WITHIN, f"{1e3 * away:.0f} mm"
        return " ".join(str(warning.message) for warning in caught)

    return compare


def evoked_of(data, info, tmin=0.0):
    return mne.EvokedArray(data, info, tmin=tmin, verbose=False)


def bare(names):
    return mne.create_info(names, 500.0, "eeg")


def test_clean(check, data, head):
    assert check(evoked_of(data, head.info)) == ""


@pytest.mark.parametrize("size", [20e-6, 14e-3])
def test_offsets(check, data, head, size):
    offsets = size * np.random.default_rng(1).standard_normal((75, 1))
    assert check(evoked_of(data + offsets, head.info)) == ""


@pytest.mark.filterwarnings("ignore:Channel .* does not fit", "ignore:The channels")
def test_drifts_are_said(data, head, network):
    # They stay in the data, where sLORETA takes them for sources.
    slopes = 50e-6 * np.random.default_rng(1).choice([-1, 1], (75, 1))
    drifting = evoked_of(data + slopes * np.arange(500) / 500, head.info)
    for method, options in (("sloreta", {}), ("deepsif", {"model": network})):
        with pytest.warns(UserWarning, match="channels .* drift by up to"):
            image(drifting, method, head, **options)


@pytest.mark.parametrize("named", [True, False])
def test_a_spherical_cap_about_the_origin(check, data, head, named):
    points = electrode_positions(head.info)
    points = points - sphere(points)[1]
    points *= 0.085 / np.linalg.norm(points, axis=1, keepdims=True)
    names = head.ch_names if named else [f"E{i}" for i in range(75)]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, points, strict=True)), coord_frame="head"
    )
    info = bare(names).set_montage(montage)
    assert check(evoked_of(data, info), match="position") == ""


@pytest.mark.parametrize("factor", [1e3, 1e4, 1e6])
def test_some_channels_in_another_unit(check, data, head, factor):
    data = data.copy()
    data[[2, 4, 15, 17]] *= factor
    said = check(evoked_of(data, head.info))
    assert all(f"'{head.ch_names[i]}': " in said for i in (2, 4, 15, 17))


def test_half_the_channels_in_another_unit(check, data, head):
    data = data.copy()
    data[::2] *= 1e3
    with pytest.raises(SignalError, match="1e3 times"):
        check(evoked_of(data, head.info))


def test_a_noisy_electrode(check, data, head):
    data = data.copy()
    data[20] += 1e-4 * np.random.default_rng(1).standard_normal(500)
    assert "'C4': " in check(evoked_of(data, head.info))


def test_a_flat_channel_that_is_not_used(check, data, head):
    info = bare([*head.ch_names, "EXG8"])
    said = check(evoked_of(np.vstack([data, np.zeros((1, 500))]), info))
    assert "['EXG8'] are not in the head model" in said


def test_a_flat_channel_of_the_head_model(check, data, head):
    data = data.copy()
    data[20] = 0
    assert "['C4'] are flat" in check(evoked_of(data, head.info))


def test_milliseconds(check, data, head):
    with pytest.raises(WindowError, match="look like ms"):
        check(evoked_of(data, head.info), tmin=-200, tmax=300)


def test_a_baseline_before_the_window(data, head, patch):
    evoked = evoked_of(data + 20e-6, head.info, tmin=-0.5)
    found = image(evoked, "sloreta", head, tmin=-0.1, tmax=0.3, baseline=(-0.5, -0.2))
    strongest = int((found.activity**2).sum(axis=1).argmax())
    assert head.cortex.distances[strongest, patch].min() <= WITHIN
    assert found.times[[0, -1]] == pytest.approx([-0.1, 0.3])
    with pytest.raises(WindowError, match="baseline"):
        image(evoked, "sloreta", head, baseline=(-0.8, -0.2))


@pytest.mark.parametrize("spelling", ["{}-CPz", "{}-A1A2", "{}:REF", "{}-0"])
def test_spellings(check, data, head, spelling):
    info = bare([spelling.format(name) for name in head.ch_names])
    assert check(evoked_of(data, info)) == ""
