from __future__ import annotations

from types import SimpleNamespace

import mne
import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from toys import sphere_forward

from deepsif_lite.errors import OptionError
from deepsif_lite.head import load_head_model
from deepsif_lite.solvers import METHODS, SOLVERS, get_solver, noise_covariance, whiten
from deepsif_lite.solvers.minimum_norm import minimum_norm


@pytest.fixture(scope="module")
def forward():
    fixed = sphere_forward(150)
    fixed["sol"]["data"] -= fixed["sol"]["data"].mean(axis=0)
    return fixed


@pytest.fixture(scope="module")
def head(forward):
    """A row of regions, two triangles each, for solvers that ask who touches whom."""
    leadfield = forward["sol"]["data"]
    n_regions = leadfield.shape[1]
    corner = np.arange(2 * n_regions - 2)
    cortex = SimpleNamespace(
        n_regions=n_regions,
        adjacency=np.eye(n_regions, k=1, dtype=bool)
        | np.eye(n_regions, k=-1, dtype=bool),
        faces=np.column_stack([corner, corner + 1, corner + 2]),
        region_of_vertex=np.arange(2 * n_regions) // 2,
    )
    names = forward["info"]["ch_names"]
    return SimpleNamespace(
        leadfield=leadfield, ch_names=names, cortex=cortex, modality="eeg"
    )


@pytest.fixture(scope="module")
def evoked(forward):
    """Ten sources with random courses plus noise that differs between channels."""
    rng = np.random.default_rng(1)
    leadfield = forward["sol"]["data"]
    n_channels, n_sources = leadfield.shape
    activity = np.zeros((n_sources, 200))
    activity[:10] = 1e-8 * rng.standard_normal((10, 200))
    data = leadfield @ activity
    data += (
        0.1
        * data.std()
        * rng.uniform(0.5, 2, (n_channels, 1))
        * (rng.standard_normal(data.shape))
    )
    info = mne.create_info(forward["info"]["ch_names"], 100.0, "eeg")
    info.set_montage("biosemi32")
    evoked = mne.EvokedArray(data, info, tmin=-1, verbose=False)
    return evoked.set_eeg_reference(projection=True, verbose=False)


def _covariance(evoked, method):
    return noise_covariance(evoked.copy().crop(None, 0).data.T, method)


def _mne_covariance(cov, evoked):
    return mne.Covariance(cov, evoked.ch_names, [], evoked.info["projs"], 1)


@pytest.mark.parametrize("depth", [None, 0.8])
@pytest.mark.parametrize("method", ["diagonal", "empirical"])
@pytest.mark.parametrize(
    ("name", "theirs"), [("sloreta", "sLORETA"), ("mne", "MNE"), ("dspm", "dSPM")]
)
def test_minimum_norms_are_those_of_mne(
    forward, head, evoked, depth, method, name, theirs
):
    cov = _covariance(evoked, method)
    inverse = mne.minimum_norm.make_inverse_operator(
        evoked.info,
        forward,
        _mne_covariance(cov, evoked),
        fixed=True,
        depth=depth and dict(exp=depth, limit_depth_chs=False, allow_fixed_depth=True),
        verbose=False,
    )
    stc = mne.minimum_norm.apply_inverse(
        evoked, inverse, lambda2=0.25, method=theirs, verbose=False
    )
    ours = get_solver(name)(
        evoked.data.T, head, noise_cov=cov, lambda2=0.25, depth=depth
    ).T
    np.testing.assert_allclose(ours, stc.data, atol=1e-6 * np.abs(stc.data).max())


def _gcv(lambda2, head, evoked, name):
    """Score of Golub et al. (1979) from the estimate and its matrix as they stand."""
    data = evoked.data - evoked.data.mean(axis=0)
    to_data = (
        head.leadfield @ get_solver(name)(np.eye(len(data)), head, lambda2=lambda2).T
    )
    rest = data - to_data @ data
    return (rest**2).sum() / (len(data) - 1 - np.trace(to_data)) ** 2


def test_generalized_cross_validation_finds_the_least_score(head, evoked):
    grid = np.geomspace(1e-4, 1e4, 81)
    best = grid[np.argmin([_gcv(value, head, evoked, "mne") for value in grid])]
    assert grid[0] < best < grid[-1]
    for name in ("sloreta", "mne", "dspm"):
        solve = get_solver(name)
        np.testing.assert_allclose(
            solve(evoked.data.T, head, lambda2="gcv"),
            solve(evoked.data.T, head, lambda2=best),
        )


def test_more_noise_is_regularized_more(head, evoked):
    rng = np.random.default_rng(0)
    data, chosen = evoked.data - evoked.data.mean(axis=0), []
    for level in (0.1, 1.0, 10.0):
        noise = level * data.std() * rng.standard_normal(data.shape)
        found = minimum_norm((data + noise).T, head, None, "gcv", 0.8)
        chosen.append(found.lambda2)
    assert chosen == sorted(set(chosen))


@pytest.mark.parametrize("reg", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("method", ["diagonal", "ledoit_wolf"])
def test_lcmv_is_that_of_mne(forward, head, evoked, reg, method):
    cov = _covariance(evoked, method)
    data_cov = _mne_covariance(np.cov(evoked.data), evoked)
    filters = mne.beamformer.make_lcmv(
        evoked.info,
        forward,
        data_cov,
        reg=reg,
        noise_cov=_mne_covariance(cov, evoked),
        weight_norm="unit-noise-gain",
        pick_ori=None,
        rank={"eeg": len(evoked.ch_names) - 1},
        verbose=False,
    )
    stc = mne.beamformer.apply_lcmv(evoked, filters, verbose=False)
    ours = get_solver("lcmv")(evoked.data.T, head, noise_cov=cov, reg=reg).T
    np.testing.assert_allclose(ours, stc.data, atol=1e-6 * np.abs(stc.data).max())


def test_lcmv_covariance_is_that_of_scikit_learn(head, evoked):
    """Shrunk by the data, the beamformer is that of the shrunk covariance."""
    data, gain = whiten(evoked.data.T, head, None)
    cov = LedoitWolf().fit(1e6 * data.T).covariance_
    filters = np.linalg.inv(cov) @ gain
    expected = (filters / np.linalg.norm(filters, axis=0)).T @ data
    ours = get_solver("lcmv")(evoked.data.T, head, reg="ledoit_wolf").T
    np.testing.assert_allclose(ours, expected, rtol=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_lcmv_of_points_cancels_a_patch_and_that_of_patches_does_not(share):
    """The filter of a point lets only noise through where its neighbors are alike."""
    head, region = load_head_model("template-64"), 310
    rng = np.random.default_rng(2)
    patch = np.append(head.cortex.neighbors[region], region)
    course = np.sin(np.arange(400) / 9)
    signal = np.outer(course, head.leadfield[:, patch].sum(axis=1))
    noise = share * signal.std() * rng.standard_normal(signal.shape)
    power = [
        (get_solver("lcmv")(signal + noise, head, reg=0.01, n_steps=n) ** 2).mean(
            axis=0
        )
        / (noise**2).mean()
        for n in (0, 1)
    ]
    assert power[0][region] < 1.2
    assert power[1].argmax() == region
    assert power[1][region] > 3


@pytest.mark.parametrize("region", [0, 40, 149])
def test_sloreta_finds_a_single_source_without_error(head, region):
    eeg = head.leadfield[:, [region]].T
    estimate = get_solver("sloreta")(eeg, head)
    assert np.argmax(np.abs(estimate[0])) == region


@pytest.mark.parametrize("name", SOLVERS)
def test_reference_does_not_matter(head, evoked, name):
    eeg, solve = evoked.data.T, get_solver(name)
    other = eeg - eeg[:, [3]]
    expected = solve(eeg, head)
    tolerance = 1e-6 * np.abs(expected).max()
    np.testing.assert_allclose(solve(other, head), expected, atol=tolerance)


def test_noise_covariance_is_that_of_numpy(evoked):
    baseline = evoked.data.T
    expected = np.cov(baseline.T, bias=True)
    np.testing.assert_allclose(noise_covariance(baseline, "empirical"), expected)
    np.testing.assert_allclose(noise_covariance(baseline), np.diag(np.diag(expected)))


@pytest.mark.parametrize("method", ["ledoit_wolf", "shrunk"])
def test_noise_covariance_is_that_of_mne(evoked, method):
    """Its own shrinkage runs over scikit-learn's estimates, on scaled data."""
    rng = np.random.default_rng(3)
    mixing = np.eye(32) + 0.2 * rng.standard_normal((32, 32))
    baseline = 1e-6 * rng.standard_normal((500, 32)) @ mixing
    raw = mne.io.RawArray(
        baseline.T, mne.create_info(32, 500.0, "eeg"), verbose="error"
    )
    theirs = mne.compute_raw_covariance(
        raw,
        tstep=None,
        method={"shrunk": "shrinkage"}.get(method, method),
        method_params={"shrinkage": {"shrinkage": 0.1}},
        verbose="error",
    )
    ours = noise_covariance(baseline, method)
    scale = np.abs(ours).max()
    np.testing.assert_allclose(ours, theirs.data, atol=0.01 * scale)
    assert np.abs(ours - np.diag(np.diag(ours))).max() > 0.1 * scale


def test_the_table_of_methods_is_consistent():
    assert tuple(m.name for m in METHODS.values()) == tuple(METHODS)
    assert [name for name in METHODS if METHODS[name].solve is None] == ["deepsif"]
    assert SOLVERS == tuple(name for name in METHODS if name != "deepsif")
    for name in SOLVERS:
        assert get_solver(name) is METHODS[name].solve
    with pytest.raises(OptionError, match="solver='deepsif'"):
        get_solver("deepsif")


def test_bad_input_is_refused(head, evoked):
    eeg = evoked.data.T
    with pytest.raises(ValueError, match="sloreta"):
        get_solver("dics")
    for name in SOLVERS:
        solve = get_solver(name)
        with pytest.raises(ValueError, match="n_times, 32"):
            solve(eeg[:, :-1], head)
        with pytest.raises(ValueError, match="noise_cov has shape"):
            solve(eeg, head, noise_cov=np.eye(3))
        with pytest.raises(ValueError, match="NaN"):
            solve(np.where(eeg == eeg[0, 0], np.nan, eeg), head)
        with pytest.raises(ValueError, match="positive definite"):
            solve(eeg, head, noise_cov=np.zeros((32, 32)))
    for name in ("sloreta", "mne", "dspm"):
        for lambda2 in (0, "auto"):
            with pytest.raises(ValueError, match="lambda2"):
                get_solver(name)(eeg, head, lambda2=lambda2)
    with pytest.raises(ValueError, match="ledoit_wolf"):
        get_solver("lcmv")(eeg, head, reg="shrunk")
    with pytest.raises(ValueError, match="n_steps"):
        get_solver("lcmv")(eeg, head, n_steps=-1)
    with pytest.raises(ValueError, match="reg > 0"):
        get_solver("lcmv")(eeg[:20], head, reg=0)
    with pytest.raises(ValueError, match="constant"):
        noise_covariance(np.zeros((10, 4)))
    with pytest.raises(ValueError, match="ledoit_wolf"):
        noise_covariance(eeg, "oas")
