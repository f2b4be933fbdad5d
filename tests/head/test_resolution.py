"""Resolution matrix and its measures against MNE-Python's minimum norm."""

from __future__ import annotations

from types import SimpleNamespace

import mne
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from toys import sphere_forward

from deepsif_lite.head import load_head_model, load_meg_head, resolution
from deepsif_lite.signals import average_reference
from deepsif_lite.solvers import sloreta

N_SOURCES = 120


@pytest.fixture(scope="module")
def forward():
    return sphere_forward(N_SOURCES)


@pytest.fixture(scope="module")
def head(forward):
    gain = forward["sol"]["data"]
    return SimpleNamespace(
        leadfield=gain, referenced_leadfield=average_reference(gain), modality="eeg"
    )


@pytest.mark.parametrize(
    ("method", "name"), [("minimum-norm", "MNE"), ("sloreta", "sLORETA")]
)
def test_point_spreads_are_those_of_mne(forward, head, method, name):
    """One sample a source: MNE's inverse applied to the scalp map of each."""
    info = forward["info"]
    info = mne.create_info(info["ch_names"], 100.0, "eeg").set_montage("biosemi32")
    maps = mne.EvokedArray(head.leadfield, info, verbose=False)
    maps.set_eeg_reference(projection=True, verbose=False)
    covariance = mne.make_ad_hoc_cov(info, {"eeg": 1.0}, verbose=False)
    inverse = mne.minimum_norm.make_inverse_operator(
        maps.info, forward, covariance, fixed=True, depth=None, verbose=False
    )
    theirs = mne.minimum_norm.apply_inverse(
        maps, inverse, lambda2=0.25, method=name, verbose=False
    ).data
    ours = resolution.resolution_matrix(head, method, lambda2=0.25)
    factor = np.vdot(ours, theirs) / np.vdot(ours, ours)  # unit of noise and prior
    np.testing.assert_allclose(ours * factor, theirs, atol=1e-6 * np.abs(theirs).max())


def test_measures_are_those_of_mne():
    rng = np.random.default_rng(3)
    places = rng.uniform(-0.07, 0.07, (40, 3))
    matrix = rng.normal(size=(40, 40))
    sides = [
        {
            "type": "surf",
            "rr": half,
            "nn": half,
            "vertno": np.arange(20),
            "coord_frame": 5,
        }
        for half in (places[:20], places[20:])
    ]
    sources = mne.SourceSpaces(sides)
    cortex = SimpleNamespace(distances=cdist(places, places))
    for ours, metric in (
        (resolution.peak_error, "peak_err"),
        (resolution.spatial_deviation, "sd_ext"),
    ):
        theirs = mne.minimum_norm.resolution_metrics(
            matrix, sources, function="psf", metric=metric
        ).data[:, 0]  # cm
        np.testing.assert_allclose(ours(matrix, cortex), 1e-2 * theirs, rtol=1e-10)


def test_sloreta_is_the_solver_of_the_library():
    head = load_head_model("template-64")
    spread = sloreta.solve(head.leadfield.T, head, depth=None).T
    ours = resolution.resolution_matrix(head)
    factor = np.vdot(ours, spread) / np.vdot(ours, ours)
    np.testing.assert_allclose(ours * factor, spread, atol=1e-8 * np.abs(spread).max())


@pytest.mark.parametrize("load", [load_head_model, load_meg_head])
def test_sloreta_finds_every_source_and_the_minimum_norm_does_not(load):
    """Pascual-Marqui's theorem; the minimum norm pulls deep sources outward."""
    head = load()
    exact = resolution.resolution_matrix(head)
    pulled = resolution.resolution_matrix(head, "minimum-norm")
    np.testing.assert_allclose(pulled, pulled.T, atol=1e-12)
    assert resolution.peak_error(exact, head.cortex).max() == 0
    errors = resolution.peak_error(pulled, head.cortex)
    deep = head.depth > np.percentile(head.depth, 75)
    assert np.median(errors[deep]) > 0.01
    width = resolution.spatial_deviation(exact, head.cortex)
    assert 0.005 < width.min() < width.max() < 0.15


def test_less_noise_narrows_the_point_spread():
    head = load_head_model("template-75")
    widths = [
        np.median(
            resolution.spatial_deviation(
                resolution.resolution_matrix(head, "minimum-norm", lambda2=lambda2),
                head.cortex,
            )
        )
        for lambda2 in (1.0, 1 / 9, 1 / 1000)
    ]
    assert widths[0] > widths[1] > widths[2]


def test_settings_out_of_range_are_refused(head):
    with pytest.raises(ValueError, match="minimum-norm"):
        resolution.resolution_matrix(head, "lcmv")
    with pytest.raises(ValueError, match="lambda2"):
        resolution.resolution_matrix(head, lambda2=0)
