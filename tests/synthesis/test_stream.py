"""Synthesis against the plain product leadfield x sources, and its invariants."""

import numpy as np
import pytest
from toys import toy_clips, toy_head

from deepsif_lite.cortex import decay
from deepsif_lite.errors import MismatchError, OptionError
from deepsif_lite.signals import normalize
from deepsif_lite.synthesis import SyntheticEEG


@pytest.fixture(scope="module")
def head():
    return toy_head()


@pytest.fixture(scope="module")
def clips():
    return toy_clips()


def direct_sample(stream, index):
    """Return EEG and activity by the plain recipe: all regions, all times."""
    draw, clips, cortex = stream._draw(index), stream.clips, stream.head.cortex
    gain = stream.head.leadfield - stream.head.leadfield.mean(axis=0)
    gain = gain / np.linalg.norm(gain, axis=0).mean()
    total = np.zeros((clips.n_times, cortex.n_regions))
    truth = np.zeros_like(total)
    for patch, clip, half, ratio in zip(
        draw.patches,
        draw.clips,
        draw.half_distances,
        draw.source_snr_db,
        strict=True,
    ):
        background = clips.background(clip).astype(float)
        background[:, clips.seeds[clip]] = 0
        background[:, patch] = 0
        wave = stream._clips.waveforms[clip].numpy().astype(float)
        peak = int(wave.argmax())
        window = slice(max(peak - 50, 0), min(peak + 50, clips.n_times))
        source = np.zeros_like(total)
        source[:, patch] = np.outer(wave, decay(cortex, patch, half))
        seen, noise = source @ gain.T, background @ gain.T
        power = [((x - x.mean(0))[window] ** 2).sum() for x in (seen, noise)]
        alpha = np.sqrt(10 ** (ratio / 10) * power[1] / power[0])
        total += background + alpha * source
        truth += alpha * source
    eeg = total @ gain.T
    spread = eeg.std(axis=0) * 10 ** (-draw.snr_db / 20)
    eeg = eeg + spread * draw.noise
    return normalize(eeg), truth / np.abs(truth).max()


@pytest.mark.parametrize("n_sources", [1, 2, 3])
def test_linearity_gives_what_the_direct_product_gives(head, clips, n_sources):
    stream = SyntheticEEG(head, clips, n_sources=n_sources, seed=5)
    for index in range(4):
        eeg, activity = direct_sample(stream, index)
        sample = stream[index]
        np.testing.assert_allclose(sample.eeg, eeg, atol=2e-5)
        np.testing.assert_allclose(sample.activity, activity, atol=2e-5)


def test_a_sample_without_a_source_is_the_background_of_a_clip(head, clips):
    stream = SyntheticEEG(
        head, clips, n_sources=0, seed=5, background_snr=(300.0, 300.0)
    )
    sample = stream[3]
    background = clips.background(sample.clips[0]).astype(float)
    background[:, clips.seeds[sample.clips[0]]] = 0
    expected = normalize(background @ head.leadfield.T)
    np.testing.assert_allclose(sample.eeg, expected, atol=2e-5)
    assert sample.patches == []
    assert not sample.activity.any()


def test_background_drowns_in_noise_by_as_much_as_was_asked(head, clips):
    same = {"n_sources": 0, "seed": 5}
    clean = SyntheticEEG(head, clips, background_snr=(300.0, 300.0), **same)[3]
    noisy = SyntheticEEG(head, clips, background_snr=(-10.0, -10.0), **same)[3]
    # The share of the noisy recording's power that follows the clean one.
    alike = np.corrcoef(clean.eeg.ravel(), noisy.eeg.ravel())[0, 1] ** 2
    assert alike == pytest.approx(1 / 11, abs=0.02)
    assert noisy.snr_db == -10.0


def test_samples_with_and_without_sources_share_a_batch(head, clips):
    stream = SyntheticEEG(head, clips, n_sources=(0, 1, 2), seed=5)
    batch = stream.batch(range(12))
    counts = [len(stream[i].patches) for i in range(12)]
    assert set(counts) == {0, 1, 2}
    active = (batch.weights > 0).any(-1).sum(-1)
    assert active.tolist() == counts
    for i in range(12):
        np.testing.assert_allclose(batch.eeg[i].numpy(), stream[i].eeg, atol=1e-6)


def test_a_sample_depends_on_seed_and_index_alone(head, clips):
    stream = SyntheticEEG(head, clips, n_sources=(1, 2, 3), seed=5)
    other = SyntheticEEG(head, clips, n_sources=(1, 2, 3), seed=5)
    batch = other.batch([9, 2, 7])
    np.testing.assert_allclose(batch.eeg[2].numpy(), stream[7].eeg, atol=1e-6)
    np.testing.assert_allclose(batch.activity[2], stream[7].activity, atol=1e-6)
    different = SyntheticEEG(head, clips, n_sources=(1, 2, 3), seed=6)
    assert np.abs(different[7].eeg - stream[7].eeg).max() > 0.05


def test_batches_hold_the_samples_in_order(head, clips):
    stream = SyntheticEEG(head, clips, n_sources=(0, 1, 2), seed=5)
    batches = list(stream.batches(7, 3, first=10))
    assert [len(batch.eeg) for batch in batches] == [3, 3, 1]
    together = np.concatenate([batch.eeg.numpy() for batch in batches])
    for row, index in enumerate(range(10, 17)):
        np.testing.assert_allclose(together[row], stream[index].eeg, atol=1e-6)


def test_sample_is_normalized(head, clips):
    sample = SyntheticEEG(head, clips, n_sources=2, seed=1)[0]
    assert np.abs(sample.eeg).max() == pytest.approx(1)
    np.testing.assert_allclose(sample.eeg.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(sample.eeg.mean(axis=0), 0, atol=1e-5)
    assert np.abs(sample.activity).max() == pytest.approx(1, abs=1e-5)
    active = np.flatnonzero(np.abs(sample.activity).max(axis=0))
    assert set(active) <= set(np.concatenate(sample.patches))


def test_source_amplitude_falls_off_from_the_seed(head, clips):
    sample = SyntheticEEG(head, clips, n_sources=1, seed=2)[3]
    amplitude = np.abs(sample.activity).max(axis=0)
    (patch,) = sample.patches
    assert amplitude[patch].argmax() == 0
    assert amplitude[patch].min() > 0


def test_sensor_noise_has_the_nominal_ratio(head, clips):
    """Measured on noise-free and noisy EEG of the same draw, before normalizing."""
    quiet = SyntheticEEG(head, clips, n_sources=1, seed=3, sensor_snr=[200.0])
    noisy = SyntheticEEG(head, clips, n_sources=1, seed=3, sensor_snr=[10.0])
    ratios = []
    for index in range(20):
        clean, dirty = quiet[index].eeg, noisy[index].eeg
        scale = (clean * dirty).sum() / (clean**2).sum()  # undo the normalization
        noise = dirty - scale * clean
        ratios.append(((scale * clean) ** 2).sum() / (noise**2).sum())
    assert 10 * np.log10(np.mean(ratios)) == pytest.approx(10, abs=0.5)


def test_normalize_agrees_on_arrays_and_tensors():
    import torch

    eeg = np.random.default_rng(0).standard_normal((2, 30, 5))
    np.testing.assert_allclose(
        normalize(eeg), normalize(torch.as_tensor(eeg)).numpy(), atol=1e-12
    )
    np.testing.assert_array_equal(normalize(np.zeros((4, 3))), np.zeros((4, 3)))


def test_short_window_is_cut_from_the_whole_sample(head, clips):
    common = {"n_sources": (1, 2), "seed": 4}
    whole = SyntheticEEG(head, clips, **common)
    short = SyntheticEEG(head, clips, n_times=120, **common)
    starts = set()
    for index in range(6):
        start = short._draw(index).start
        starts.add(start)
        inside = slice(start, start + 120)
        before, after = whole[index], short[index]
        assert start <= clips.peaks[before.clips[0]] < start + 120
        np.testing.assert_allclose(after.eeg, normalize(before.eeg[inside]), atol=1e-5)
        cut = before.activity[inside]
        np.testing.assert_allclose(after.activity, cut / np.abs(cut).max(), atol=1e-5)
    assert len(starts) > 2


def test_places_are_read_literally_one_by_one(head, clips):
    def make(variant):
        sample = SyntheticEEG(head, clips, n_sources=2, seed=3, variant=variant)[1]
        return sample.eeg, sample.activity

    ours, theirs = make("corrected"), make("published")
    np.testing.assert_array_equal(make([])[0], ours[0])
    np.testing.assert_array_equal(make(("decay", "noise", "window"))[0], theirs[0])
    for place in ("noise", "window", "decay"):
        eeg, activity = make([place])
        assert np.abs(eeg - ours[0]).max() > 1e-3
        assert np.abs(eeg - theirs[0]).max() > 1e-3
        # The noise of electrodes leaves the sources alone, the scaling does not.
        same = np.array_equal(activity, ours[1])
        assert same == (place == "noise")


def test_bad_arguments_are_refused(head, clips):
    with pytest.raises(ValueError, match="n_times=501"):
        SyntheticEEG(head, clips, n_times=501)
    with pytest.raises(ValueError, match="variant"):
        SyntheticEEG(head, clips, variant="literal")
    with pytest.raises(ValueError, match="variant"):
        SyntheticEEG(head, clips, variant=["noise", "sources"])
    with pytest.raises(ValueError, match="n_sources"):
        SyntheticEEG(head, clips, n_sources=-1)
    with pytest.raises(ValueError, match="hold a value"):
        SyntheticEEG(head, clips, n_sources=())
    with pytest.raises(MismatchError, match="regions"):
        SyntheticEEG(toy_head(60), clips)


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("source_snr", (20.0, 10.0)),
        ("background_snr", (20.0, -20.0)),
        ("half_distance", (0.06, 0.04)),
        ("half_distance", (0.0, 0.04)),
        ("electrode_jitter", (0.01, 0.0)),
        ("electrode_jitter", (-0.01, 0.01)),
        ("source_snr", (10.0,)),
        ("source_snr", (float("nan"), 10.0)),
    ],
)
def test_ranges_are_ordered_and_positive_where_they_must_be(
    head, clips, name, interval
):
    with pytest.raises(OptionError, match=f"{name}="):
        SyntheticEEG(head, clips, **{name: interval})


def test_resting_eeg_takes_its_share_of_the_noise(head, clips):
    rng = np.random.default_rng(0)
    resting = 30 * rng.standard_normal((1, clips.n_times, 20)).cumsum(axis=1) + 5
    common = {"n_sources": 1, "seed": 2}
    white = SyntheticEEG(head, clips, **common)._draw(0).noise
    resting_only = SyntheticEEG(
        head, clips, resting=resting, resting_share=1.0, **common
    )
    noise = resting_only._draw(0).noise
    np.testing.assert_allclose(noise.std(axis=0), 1, rtol=1e-5)
    for channel in range(20):
        r = np.corrcoef(noise[:, channel], resting[0, :, channel])[0, 1]
        assert r == pytest.approx(1, abs=1e-5)
    mixed = SyntheticEEG(head, clips, resting=resting, resting_share=0.36, **common)
    expected = 0.8 * white + 0.6 * noise
    np.testing.assert_allclose(mixed._draw(0).noise, expected, atol=1e-5)


def test_resting_eeg_that_does_not_fit_is_refused(head, clips):
    with pytest.raises(ValueError, match="needs resting EEG"):
        SyntheticEEG(head, clips, resting_share=0.5)
    with pytest.raises(ValueError, match="needs resting EEG"):
        SyntheticEEG(head, clips, resting=np.zeros((2, 10, 20)), resting_share=0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        SyntheticEEG(head, clips, resting_share=2.0)
