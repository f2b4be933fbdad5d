from __future__ import annotations

import warnings

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import detrend

from deepsif_lite.errors import OptionError, SignalError, WindowError
from deepsif_lite.imaging import image
from deepsif_lite.recordings import prepare, resting_clips


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
    data = leadfield @ (2e-8 * (courses - courses.mean(axis=1, keepdims=True)))
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


def _projector(ch_names):
    n = len(ch_names)
    data = {"data": np.ones((1, n)) / n**0.5, "nrow": 1, "ncol": n}
    data |= {"row_names": None, "col_names": ch_names}
    return mne.Projection(data=data, desc="blink", active=False, kind=1)


def test_other_projectors_are_named(evoked, info):
    evoked.add_proj(_projector(evoked.ch_names), verbose=False)
    with pytest.warns(UserWarning, match="'blink'.*were not applied"):
        prepare(evoked, info)
    evoked.apply_proj(verbose=False)
    with pytest.warns(UserWarning, match="'blink'.*were applied"):
        prepare(evoked, info)


def test_projectors_of_magnetometers_do_not_matter(evoked, info, truth):
    names = ["MEG 0111", "MEG 0112"]
    magnetic = mne.create_info(names, evoked.info["sfreq"], "mag")
    given = evoked.copy().add_channels(
        [mne.EvokedArray(np.zeros((2, len(evoked.times))), magnetic, evoked.tmin)],
        force_update_info=True,
    )
    given.add_proj(_projector(names), verbose=False)
    expected = prepare(evoked, info).data
    np.testing.assert_allclose(prepare(given, info).data, expected)


def test_channels_of_two_electrodes_are_left_out(evoked, info):
    """MNE gives them the place of one."""
    pairs = ["Fp1", "F7"], ["F7", "T7"]
    given = mne.set_bipolar_reference(evoked, *pairs, drop_refs=False, verbose=False)
    with pytest.warns(UserWarning, match=r"\['Fp1-F7', 'F7-T7'\].*two electrodes"):
        ready = prepare(given, info)
    np.testing.assert_allclose(ready.data, prepare(evoked, info).data, atol=1e-12)


def test_eyes_and_heart_are_left_out_wherever_they_lie(evoked, info):
    given = evoked.copy()
    other = (
        given.copy().pick(["Fp1", "F7"]).rename_channels({"Fp1": "HEOG", "F7": "ECG"})
    )
    other.data *= 30
    given.add_channels([other])
    with pytest.warns(UserWarning, match=r"\['HEOG', 'ECG'\].*something else"):
        ready = prepare(given, info, match="position")
    plain = prepare(evoked, info, match="position")
    np.testing.assert_allclose(ready.data, plain.data, atol=1e-12)


def test_mains_are_noticed(evoked, info):
    hum = np.sin(2 * np.pi * 50 * evoked.times)
    evoked.data += 1e-4 * np.linspace(-1, 1, len(evoked.ch_names))[:, None] * hum
    with pytest.warns(UserWarning, match="at 50 Hz"):
        prepare(evoked, info)


@pytest.mark.parametrize("make", [list, pd.DataFrame, torch.tensor])
def test_values_that_are_no_array_are_refused(evoked, info, make):
    evoked.data = make(evoked.data)
    with pytest.raises(SignalError, match="not an array"):
        prepare(evoked, info)


def test_epochs_of_several_conditions_name_them(evoked, info):
    epochs = mne.EpochsArray(
        evoked.data[None].repeat(2, 0),
        evoked.info,
        np.c_[[0, 1], [0, 0], [1, 2]],
        event_id={"target": 1, "standard": 2},
        verbose=False,
    )
    cure = r"epochs\['target'\].average\(\) \(of one condition.*'standard'"
    for method in ("sloreta", "deepsif"):
        with pytest.raises(SignalError, match=cure):
            image(epochs, method)
    with pytest.raises(SignalError, match=r"average: epochs.average\(\)\."):
        image(epochs["target"], "sloreta")


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


def test_electrodes_at_the_same_place_keep_their_values(evoked, info, truth):
    evoked.rename_channels({n: f"EEG {i:03d}" for i, n in enumerate(evoked.ch_names)})
    ready = prepare(evoked, info, match="position")
    np.testing.assert_allclose(ready.data, truth, atol=1e-18)


def test_names_count_first_where_positions_do_not_contradict(evoked, info, truth):
    swapped = {"C3": "C4", "C4": "C3"}
    evoked.rename_channels(swapped)
    with pytest.warns(UserWarning, match=r"\['C3', 'C4'\].*25 degrees"):
        ready = prepare(evoked, info, match="position")
    np.testing.assert_allclose(ready.data, truth, atol=1e-18)


def test_absent_positions_are_refused(evoked, info, truth):
    evoked.rename_channels({n: f"E{i}" for i, n in enumerate(evoked.ch_names)})
    evoked.info["chs"][5]["loc"][:3] = np.nan
    with pytest.warns(UserWarning, match=r"\['E5'\] have no position"):
        ready = prepare(evoked, info, match="position")
    assert alike(ready.data, truth) > 0.99
    for channel in evoked.info["chs"]:
        channel["loc"][:3] = 0
    with pytest.raises(ValueError, match="E63.*no position"):
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
    evoked.data[:] = 1e-6


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
        (_spoil_flat, "All EEG channels are flat"),
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


def test_other_arguments_are_refused(evoked, info):
    with pytest.raises(OptionError, match="match='index'"):
        prepare(evoked, info, match="index")
    for other, kind in (([evoked], "list"), (evoked.data, "ndarray"), (None, "None")):
        with pytest.raises(SignalError, match=f"inst is of type {kind}"):
            prepare(other, info)
    with pytest.raises(WindowError, match="baseline"):
        prepare(evoked, info, baseline=(-1, 0))


def test_offsets_and_baseline_are_removed(evoked, info, truth):
    evoked.data += np.random.default_rng(0).standard_normal((64, 1)) * 14e-3
    np.testing.assert_allclose(prepare(evoked, info).data, truth, atol=1e-12)
    ready = prepare(evoked, info, baseline=(None, 0))
    quiet = ready.copy().crop(None, 0)
    np.testing.assert_allclose(quiet.data.mean(axis=1), 0, atol=1e-12)


def test_only_channels_that_are_used_are_looked_at(info, truth):
    data = np.vstack([truth, np.zeros((2, 300))])
    data[64, 7] = np.nan
    names = [*info.ch_names, "EXG7", "EXG8"]
    evoked = mne.EvokedArray(data, mne.create_info(names, 500.0, "eeg"), verbose=False)
    with pytest.warns(UserWarning, match=r"\['EXG7', 'EXG8'\].*ignored"):
        ready = prepare(evoked, info)
    np.testing.assert_allclose(ready.data, truth, atol=1e-18)


def test_flat_and_outlying_channels_count_as_bad(evoked, info, truth):
    flat, large, noisy = (info.ch_names.index(name) for name in ("C3", "F4", "Oz"))
    evoked.data[flat] = 3e-6
    evoked.data[large] *= 1000
    evoked.data[noisy] += 2e-4 * np.random.default_rng(0).standard_normal(300)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready = prepare(evoked, info)
    text = " ".join(str(w.message) for w in caught)
    assert "['C3'] are flat" in text
    assert "'F4': " in text
    assert "'Oz': " in text
    for i in (flat, large, noisy):
        assert alike(ready.data[i], truth[i]) > 0.97, info.ch_names[i]


def test_the_reference_electrode_is_flat(evoked, info, truth):
    evoked.data -= evoked.data[10]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready = prepare(evoked, info)
    assert f"['{info.ch_names[10]}'] are flat" in str(caught[0].message)
    assert "interpolated" in str(caught[1].message)
    assert alike(ready.data, truth) > 0.99


def test_lines_of_electrodes_that_drift_are_taken_away(evoked, info, truth):
    """From all kinds of recordings; what a line through the signal is, goes with it."""
    slopes = np.random.default_rng(0).standard_normal((64, 1))
    drifts = 1e-4 * slopes * np.linspace(-0.5, 0.5, 300)
    evoked.data += drifts
    epochs = np.stack([truth + drifts, truth - 2 * drifts])
    for inst in (
        evoked,
        mne.EpochsArray(epochs, info, tmin=-0.1, verbose=False),
        mne.io.RawArray(evoked.data, info, verbose=False),
    ):
        with pytest.warns(UserWarning, match="best was taken away"):
            ready = prepare(inst, info)
        expected = detrend(truth)
        for data in ready.get_data().reshape(-1, 64, 300):
            np.testing.assert_allclose(data, expected, atol=1e-15)
    with pytest.warns(UserWarning, match="best was taken away"):
        ready = prepare(evoked, info, baseline=(-0.1, 0))
    expected -= expected[:, :51].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ready.data, expected, atol=1e-15)


def test_a_slow_response_and_other_kinds_are_kept_and_noticed(evoked, info, truth):
    rise = 10 * np.outer(truth[:, 40], np.linspace(-1, 1, 300))
    evoked.data += rise
    evoked.kind = "standard_error"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ready = prepare(evoked, info)
    np.testing.assert_allclose(ready.data, truth + rise, atol=1e-15)
    text = " ".join(str(w.message) for w in caught)
    assert "channels (the first: " in text
    assert "uV through the window" in text
    assert "may be a slow response, and are kept" in text
    assert "'standard_error'" in text


@pytest.mark.parametrize("spelling", ["{}-CPz", "{}-A1A2", "{}:REF", "{}-0", "EEG {}"])
def test_spellings_do_not_matter(evoked, info, truth, spelling):
    evoked.rename_channels({name: spelling.format(name) for name in evoked.ch_names})
    np.testing.assert_allclose(prepare(evoked, info).data, truth, atol=1e-18)


def test_biosemi_numbers(evoked, info, truth):
    order = mne.channels.make_standard_montage("biosemi64").ch_names
    numbers = {n: f"{'AB'[i // 32]}{i % 32 + 1}" for i, n in enumerate(order)}
    evoked.rename_channels(numbers)
    np.testing.assert_allclose(prepare(evoked, info).data, truth, atol=1e-18)


def test_biosemi_128_is_matched_by_position(info):
    montage = mne.channels.make_standard_montage("biosemi128")
    bare = mne.create_info(montage.ch_names, 500.0, "eeg")
    data = np.random.default_rng(0).standard_normal((128, 100))
    evoked = mne.EvokedArray(1e-6 * data, bare, verbose=False)
    with pytest.warns(UserWarning, match="biosemi128"):
        ready = prepare(evoked, info)
    centered = 1e-6 * (data - data.mean(axis=1, keepdims=True))
    cz, pz = (ready.data[ready.ch_names.index(name)] for name in ("Cz", "Pz"))
    np.testing.assert_allclose(cz - pz, centered[0] - centered[18], atol=1e-18)


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
