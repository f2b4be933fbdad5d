from __future__ import annotations

import warnings

import mne
import numpy as np
import pytest

from deepsif_lite.recordings import prepare, resting_clips
from deepsif_lite.recordings.names import plain_name


@pytest.fixture(scope="module")
def info():
    """The channels wanted: BioSemi-64 in an order of our own."""
    montage = mne.channels.make_standard_montage("biosemi64")
    names = sorted(montage.ch_names)
    return mne.create_info(names, 500.0, "eeg").set_montage(montage)


@pytest.fixture(scope="module")
def truth(info):
    """MNE's potentials of five dipoles in a sphere at the channels wanted, V."""
    sphere = mne.make_sphere_model("auto", "auto", info, verbose=False)
    rng = np.random.default_rng(0)
    direction = rng.standard_normal((5, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    sources = mne.setup_volume_source_space(
        pos={"rr": sphere["r0"] + 0.05 * direction, "nn": direction}, verbose=False
    )
    forward = mne.make_forward_solution(
        info, None, sources, sphere, eeg=True, meg=False, verbose=False
    )
    leadfield = forward["sol"]["data"][:, 2::3]
    courses = np.sin(2 * np.pi * np.outer(np.arange(2, 7), np.arange(300) / 500.0))
    data = leadfield @ (2e-8 * courses)
    return data - data.mean(axis=0)


@pytest.fixture
def evoked(info, truth):
    return mne.EvokedArray(truth.copy(), info.copy(), tmin=-0.1, verbose=False)


def alike(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_nothing_changes_where_nothing_has_to(evoked, info, truth):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ready = prepare(evoked, info, 500.0)
    np.testing.assert_allclose(ready.data, truth, atol=1e-18)
    assert ready.ch_names == info.ch_names


def test_order_reference_and_spelling_do_not_matter(evoked, info, truth):
    names = evoked.ch_names[::-1]
    evoked.reorder_channels(names)
    evoked.data -= evoked.data[10]  # another reference ...
    evoked.data[10] += 1e-9 * np.sin(np.arange(300))  # ... that is not quite flat
    odd = {n: f"EEG {n.upper()}-REF" for n in names}
    odd |= {"T7": "T3", "T8": "t4", "P7": "T5", "P8": "EEG T6"}
    evoked.rename_channels(odd)
    ready = prepare(evoked, info)
    assert ready.ch_names == info.ch_names
    np.testing.assert_allclose(ready.data, truth, atol=2e-9)
    assert evoked.ch_names != info.ch_names  # the input is left as it is


def test_applied_reference_projector_does_not_matter(evoked, info, truth):
    evoked.data += 1e-5 * np.cos(np.arange(300))
    evoked.set_eeg_reference(projection=True, verbose=False).apply_proj(verbose=False)
    ready = prepare(evoked, info)
    np.testing.assert_allclose(ready.data, truth, atol=1e-12)
    assert ready.info["projs"] == []


def test_other_applied_projectors_are_named(evoked, info):
    blink = mne.Projection(
        data={
            "data": np.ones((1, 64)) / 8,
            "nrow": 1,
            "ncol": 64,
            "row_names": None,
            "col_names": evoked.ch_names,
        },
        desc="blink",
        active=False,
        kind=1,
    )
    evoked.add_proj(blink, verbose=False).apply_proj(verbose=False)
    with pytest.warns(UserWarning, match="blink"):
        prepare(evoked, info)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("EEG Fp1-LE", "fp1"),
        ("Fc5.", "fc5"),
        ("T3", "t7"),
        ("CPZ", "cpz"),
        ("Cz", "cz"),
    ],
)
def test_plain_name(name, plain):
    assert plain_name(name) == plain


def test_few_missing_and_bad_channels_are_interpolated(evoked, info, truth):
    evoked.drop_channels(["C3", "Oz"])
    evoked.info["bads"] = ["F4"]
    evoked.data[evoked.ch_names.index("F4")] = 1e3
    with pytest.warns(UserWarning, match=r"\['C3', 'F4', 'Oz'\].*interpolated"):
        ready = prepare(evoked, info)
    for name in ("C3", "Oz", "F4"):
        i = info.ch_names.index(name)
        assert alike(ready.data[i], truth[i]) > 0.97, name
    kept = [i for i, n in enumerate(info.ch_names) if n not in ("C3", "Oz", "F4")]
    assert alike(ready.data[kept], truth[kept]) > 0.999
    assert ready.info["bads"] == []


def test_many_missing_channels_are_refused_with_the_list(evoked, info):
    evoked.pick(evoked.ch_names[:40])
    with pytest.raises(ValueError, match="24 of the head model's 64") as raised:
        prepare(evoked, info)
    for name in info.ch_names[40:]:
        assert repr(name) in str(raised.value)


def test_unknown_channels_are_ignored_with_a_warning(evoked, info, truth):
    evoked.rename_channels({"Cz": "Vertex"})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready = prepare(evoked, info)
    text = " ".join(str(w.message) for w in caught)
    assert "['Vertex'] are not in the head model" in text
    assert "['Cz'] are missing" in text
    cz = info.ch_names.index("Cz")
    assert alike(ready.data[cz], truth[cz]) > 0.97


def test_names_that_say_nothing_ask_for_positions(evoked, info):
    evoked.rename_channels({n: f"EEG {i:03d}" for i, n in enumerate(evoked.ch_names)})
    with pytest.raises(ValueError, match="match='position'"):
        prepare(evoked, info)


def test_positions_replace_names(evoked, info, truth):
    evoked.rename_channels({n: f"EEG {i:03d}" for i, n in enumerate(evoked.ch_names)})
    evoked.drop_channels(evoked.ch_names[::8])
    ready = prepare(evoked, info, match="position")
    assert ready.ch_names == info.ch_names
    assert alike(ready.data, truth) > 0.99


def test_absent_positions_are_refused(evoked, info):
    evoked.info["chs"][5]["loc"][:3] = np.nan
    with pytest.raises(ValueError, match=evoked.ch_names[5]):
        prepare(evoked, info, match="position")


def test_cap_that_covers_half_the_head_is_refused(evoked, info):
    front = [ch["ch_name"] for ch in evoked.info["chs"] if ch["loc"][1] > 0.02]
    with pytest.raises(ValueError, match="degrees"):
        prepare(evoked.pick(front), info, match="position")


def test_sampling_rate(evoked, info, truth):
    slow = evoked.copy().resample(250, verbose=False)
    ready = prepare(slow, info, 500.0)
    assert ready.info["sfreq"] == 500
    assert abs(len(ready.times) - 300) <= 1
    middle = slice(50, 250)  # resampling rings at the ends
    assert alike(ready.data[:, middle], truth[:, middle]) > 0.999


@pytest.mark.parametrize("kind", ["epochs", "raw"])
def test_epochs_and_raw(info, truth, kind):
    if kind == "epochs":
        inst = mne.EpochsArray(truth[None].repeat(2, axis=0), info, verbose=False)
    else:
        inst = mne.io.RawArray(truth, info, verbose=False)
    inst.drop_channels(["C3"])
    with pytest.warns(UserWarning, match="C3"):
        ready = prepare(inst, info)
    assert isinstance(ready, type(inst))
    assert ready.ch_names == info.ch_names
    assert alike(np.atleast_3d(ready.get_data().T)[..., 0].T, truth) > 0.99


def _spoil_nan(evoked):
    evoked.data[3, 5] = np.nan


def _spoil_flat(evoked):
    evoked.data[3] = 1e-6


def _spoil_unit(evoked):
    evoked.data *= 1e6


def _spoil_names(evoked):
    evoked.rename_channels({"T7": "T3", "T8": "T7"})


def _spoil_types(evoked):
    evoked.set_channel_types(
        dict.fromkeys(evoked.ch_names, "misc"), on_unit_change="ignore"
    )


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (_spoil_nan, "AF8.*NaN.*info\\['bads'\\]"),
        (_spoil_flat, "AF8.*flat.*set_eeg_reference"),
        (_spoil_unit, "microvolts.*1e-6"),
        (_spoil_names, "both mean 'T7'"),
        (_spoil_types, "no good EEG channel"),
    ],
)
def test_bad_recordings_are_refused(evoked, info, spoil, match):
    assert evoked.ch_names[3] == "AF8"
    spoil(evoked)
    with pytest.raises(ValueError, match=match):
        prepare(evoked, info)
    with pytest.raises(ValueError, match="'name' or 'position'"):
        prepare(evoked, info, match="index")


def test_resting_clips_are_the_recording_in_pieces(info, truth):
    raw = mne.io.RawArray(truth, info, verbose=False)
    clips = resting_clips(raw, info, 0.2, 500.0)
    assert clips.shape == (3, 100, 64)
    np.testing.assert_allclose(np.concatenate(clips), truth.T, atol=1e-12)
    raw.set_annotations(mne.Annotations(0.25, 0.1, "BAD_blink"))
    np.testing.assert_allclose(resting_clips(raw, info, 0.2, 500.0), clips[::2])
    raw.set_annotations(mne.Annotations(0.0, 0.6, "BAD_all"))
    with pytest.raises(ValueError, match="duration"):
        resting_clips(raw, info, 0.2, 500.0)
