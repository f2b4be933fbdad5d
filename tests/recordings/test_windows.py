from __future__ import annotations

import mne
import numpy as np
import pytest

from deepsif_lite.errors import WindowError
from deepsif_lite.recordings import crop_window
from deepsif_lite.recordings.windows import remove_mean


@pytest.fixture
def evoked():
    """Two channels, 500 samples from -0.2 s, mV with offsets."""
    data = np.random.default_rng(0).standard_normal((2, 500)) + np.array([[5.0], [-3]])
    info = mne.create_info(2, 500.0, "eeg")
    return mne.EvokedArray(1e-6 * data, info, tmin=-0.2, verbose=False)


def test_window_is_cut_from_a_copy(evoked):
    cut = crop_window(evoked, 0.0, 0.1)
    np.testing.assert_array_equal(cut.data, evoked.data[:, 100:151])
    assert evoked.data.shape == (2, 500)
    np.testing.assert_array_equal(crop_window(evoked).data, evoked.data)
    # The end of a window of 500 samples is often said one sample late.
    assert crop_window(evoked, None, 0.8).times[-1] == evoked.times[-1]


@pytest.mark.parametrize(
    ("window", "match"),
    [
        ((-200, 300), "look like ms"),
        ((0.0, 300), "look like ms"),
        ((-0.3, 0.3), r"no window within the data's -0.200 to 0.798 s\."),
        ((0.0, 0.9), "no window within"),
        ((0.3, 0.1), "its end comes before its start"),
        ((float("nan"), 0.1), "no window within"),
    ],
)
def test_other_windows_are_refused(evoked, window, match):
    with pytest.raises(WindowError, match=match):
        crop_window(evoked, *window)
    with pytest.raises(WindowError, match=f"baseline.*{match}"):
        remove_mean(evoked, window)


@pytest.mark.parametrize("kind", ["evoked", "epochs", "raw"])
def test_mean_of_the_baseline_is_removed(evoked, kind):
    data, n_epochs = evoked.data.copy(), 3
    if kind == "epochs":
        stack = data + 1e-6 * np.arange(n_epochs)[:, None, None]
        inst = mne.EpochsArray(stack, evoked.info, tmin=-0.2, verbose=False)
        data = stack
    elif kind == "raw":
        inst = mne.io.RawArray(data, evoked.info, verbose=False)
    else:
        inst = evoked
    whole = remove_mean(inst.copy()).get_data()
    np.testing.assert_allclose(whole, data - data.mean(-1, keepdims=True), atol=1e-18)
    start = inst.times[0]
    part = remove_mean(inst.copy(), (None, start + 0.1)).get_data()
    expected = data - data[..., :51].mean(-1, keepdims=True)
    np.testing.assert_allclose(part, expected, atol=1e-18)
