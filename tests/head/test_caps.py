"""Any cap on the template head, against OpenMEEG's own leadfield and other caps."""

import mne
import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.errors import ChannelError, MismatchError
from deepsif_lite.head import (
    TEN_TWENTY,
    eeg_gain,
    load_scalp_potentials,
    load_shells,
    template_cap,
    topography_correlation,
)


@pytest.fixture(scope="module")
def head():
    return dl.load_head_model("template-75")


def test_weights_are_barycentric(head):
    scalp = load_scalp_potentials()
    weights = scalp.weights(head.sensors)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert weights.data.min() >= 0
    # They rebuild the electrode from the corners of its triangle.
    rebuilt = weights @ scalp.shells.surface("scalp")
    np.testing.assert_allclose(rebuilt, head.sensors, atol=1e-12)


def test_a_vertex_reads_itself():
    scalp = load_scalp_potentials()
    vertex = scalp.shells.surface("scalp")[[7, 400]]
    np.testing.assert_allclose(scalp.at(vertex), scalp.potentials[[7, 400]])


def test_weights_are_those_of_openmeeg(head):
    openmeeg = pytest.importorskip("openmeeg")
    from deepsif_lite.head.bem import _geometry, _to_dense

    scalp = load_scalp_potentials()
    geometry = _geometry(scalp.shells, 0.33, 0.0125)
    positions = openmeeg.Matrix(np.asfortranarray(head.sensors))
    theirs = _to_dense(
        openmeeg.Head2EEGMat(geometry, openmeeg.Sensors(positions, geometry))
    )
    theirs = theirs[:, theirs.any(axis=0)]
    ours = scalp.weights(head.sensors).toarray()
    ours = ours[:, ours.any(axis=0)]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)  # they print six digits


@pytest.mark.slow
def test_leadfield_is_openmeegs_own(head):
    pytest.importorskip("openmeeg")
    cortex, regions = head.cortex, [10, 500, 900]
    inside = np.isin(cortex.region_of_vertex, regions)
    gain = eeg_gain(
        load_shells(), head.sensors, cortex.vertices[inside], cortex.normals[inside]
    )
    of_vertex = cortex.region_of_vertex[inside]
    theirs = np.column_stack([gain[:, of_vertex == r].sum(axis=1) for r in regions])
    ours = load_scalp_potentials().at(head.sensors)[:, regions]
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["template-75", "template-64"])
def test_caps_by_name_are_the_stored_heads(name):
    stored = dl.load_head_model(name)
    made = template_cap(stored.ch_names)
    np.testing.assert_allclose(made.sensors, stored.sensors, atol=1e-9)
    # The stored heads were computed with finer integrals.
    assert topography_correlation(made.leadfield, stored.leadfield).min() > 0.9999


def test_names_are_understood_in_any_spelling(head):
    plain = template_cap(["Fp1", "T7", "Oz"])
    spelled = template_cap(["EEG FP1-REF", "EEG T3-REF", "EEG OZ-REF"])
    np.testing.assert_array_equal(plain.leadfield, spelled.leadfield)
    assert spelled.ch_names[1] == "EEG T3-REF"


def test_measured_positions_find_their_place(head):
    made = template_cap(head.info)
    unnamed = head.info.copy()
    mne.rename_channels(
        unnamed, {n: f"E{k}" for k, n in enumerate(unnamed.ch_names)}, verbose="error"
    )
    placed = template_cap(unnamed)
    assert np.linalg.norm(placed.sensors - made.sensors, axis=1).max() < 1e-6


def test_bad_channels_are_left_out(head):
    info = head.info.copy()
    info["bads"] = ["Cz", "O1"]
    made = template_cap(info)
    assert made.leadfield.shape == (73, 994)
    assert "Cz" not in made.ch_names


def test_a_source_is_found_with_nineteen_electrodes():
    head = dl.load_head_model("template", channels=TEN_TWENTY)
    region = 300
    course = 1e-8 * np.hanning(100)
    evoked = mne.EvokedArray(np.outer(head.leadfield[:, region], course), head.info)
    image = dl.image(evoked, method="sloreta", head=head)
    assert image.peak.region == region


@pytest.mark.parametrize(
    ("name", "channels"), [("template", None), ("template-75", ["Fz", "Cz", "Pz"])]
)
def test_only_the_template_takes_channels(name, channels):
    with pytest.raises(MismatchError, match="channels"):
        dl.load_head_model(name, channels=channels)


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (["Fp1", "E17", "Oz"], "E17"),
        (["Fp1", "FP1", "Oz"], "more than once"),
        (["Fp1", "Oz"], "three or more"),
    ],
)
def test_caps_that_cannot_be_placed_are_refused(channels, message):
    with pytest.raises(ChannelError, match=message):
        template_cap(channels)


def test_positions_that_are_missing_are_named(head):
    info = mne.create_info(["Fp1", "E17", "E18"], 500.0, "eeg")
    with pytest.raises(ChannelError, match="set their positions"):
        template_cap(info)
