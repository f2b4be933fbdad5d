"""Trust in an image: closed forms, and what must never be trusted."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.head import load_artifact_sources, template_cap
from deepsif_lite.imaging import LIMITS, VERDICTS, Evidence, SourceImage
from deepsif_lite.solvers import noise_covariance

N_TIMES, SFREQ, REGION = 250, 500.0, 100
COURSE = np.sin(np.linspace(0, 2 * np.pi, N_TIMES)) * np.hanning(N_TIMES)


@pytest.fixture(scope="module")
def head():
    return template_cap(dl.load_head_model("template-64").ch_names)


def image_of(eeg, head, *, region=REGION, course=COURSE, method="deepsif", noise=None):
    """Return an image of one region, sure of itself, and the window behind it."""
    activity = np.zeros((head.cortex.n_regions, len(eeg)))
    activity[region] = course
    probability = np.where(activity.any(axis=1), 0.99, 0.01)
    return SourceImage(
        activity,
        np.arange(len(eeg)) / SFREQ,
        head.cortex,
        method,
        probability=probability,
        evidence=Evidence(eeg, head, noise),
    )


def dipole(head, noise=0.0, seed=0):
    """Return EEG of one region, V, with white noise of a share of its power."""
    eeg = 1e-8 * np.outer(COURSE, head.leadfield[:, REGION])
    eeg -= eeg.mean(axis=1, keepdims=True)
    white = np.random.default_rng(seed).standard_normal(eeg.shape)
    return eeg + np.sqrt(noise) * eeg.std() * white


def test_a_dipole_without_noise_is_explained(head):
    trust = image_of(dipole(head), head).trust
    assert trust.explained == pytest.approx(1)
    assert trust.explained_at_peak == pytest.approx(1)
    assert trust.one_region == pytest.approx(1)
    assert trust.signal_to_noise is None  # there is none
    assert trust.covered == 1
    assert trust.verdict == "good"


def test_an_image_of_the_other_polarity_explains_nothing(head):
    trust = image_of(dipole(head), head, course=-COURSE).trust
    assert trust.explained == trust.explained_at_peak == 0
    assert trust.verdict == "do not use"


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_noise_is_found_in_the_spectrum_and_lowers_what_is_explained(head, noise):
    trust = image_of(dipole(head, noise), head).trust
    assert trust.signal_to_noise == pytest.approx(-10 * np.log10(noise), abs=0.5)
    assert trust.explained == pytest.approx(1 / (1 + noise), abs=0.03)


def test_noise_is_that_of_the_baseline_where_there_is_one(head):
    eeg = dipole(head)
    signal = (eeg - eeg.mean(axis=0)).var()
    trust = image_of(eeg, head, noise=signal / 5).trust
    assert trust.signal_to_noise == pytest.approx(10 * np.log10(4))


@pytest.mark.parametrize("method", ["deepsif", "sloreta"])
def test_white_noise_is_not_to_be_used(head, method):
    eeg = np.random.default_rng(1).standard_normal((N_TIMES, 64))
    assert image_of(eeg, head, method=method).trust.verdict == "do not use"


def test_a_blink_is_not_to_be_used(head):
    sources = load_artifact_sources()
    eyes = (sources.sites.kind == "eye") & (sources.sites.variant == 0)
    blink = sources.at(head.sensors)[:, eyes].sum(axis=1) @ (0, 0.35, 1)
    eeg = np.outer(COURSE, blink)
    # Whatever the image: the region that looks most like a blink.
    gain = head.referenced_leadfield
    alike = (blink @ gain) / np.linalg.norm(gain, axis=0)
    trust = image_of(
        eeg,
        head,
        region=int(np.abs(alike).argmax()),
        course=np.sign(alike[np.abs(alike).argmax()]) * COURSE,
    ).trust
    assert trust.eyes > LIMITS["eyes"].useless
    assert trust.verdict == "do not use"
    assert "eyes" in trust.summary


def test_no_number_depends_on_the_unit(head):
    eeg = dipole(head, 0.3)
    trust = [
        vars(image_of(scale * eeg, head, course=1e-3 * scale * COURSE).trust)
        for scale in (1.0, 1e6)
    ]
    assert trust[0] == pytest.approx(trust[1])


def test_a_window_of_zeros_is_not_to_be_used(head):
    trust = image_of(np.zeros((N_TIMES, 64)), head).trust
    assert trust.explained == trust.one_region == 0
    assert trust.verdict == "do not use"


def test_too_few_electrodes_and_a_long_window_are_doubtful(head):
    few = head.pick(head.ch_names[::5])
    trust = image_of(dipole(few), few).trust
    assert trust.n_channels < 16
    assert trust.verdict != "good"
    eeg, course = np.tile(dipole(head), (5, 1)), np.tile(COURSE, 5)
    assert image_of(eeg, head, course=course).trust.verdict == "doubtful"


def test_heads_off_the_template_have_no_eyes(head):
    elsewhere = replace(head, sensors=1.2 * head.sensors)
    trust = image_of(dipole(head), elsewhere).trust
    assert trust.eyes is trust.muscles is None
    assert trust.verdict == "good"


def test_limits_hold_on_their_bad_side():
    assert [LIMITS["eyes"].judge(value) for value in (0.1, 0.5, 0.95)] == [*VERDICTS]
    assert [LIMITS["covered"].judge(v) for v in (0.9, 0.5, 0.1)] == [*VERDICTS]


def test_a_part_has_the_trust_of_the_whole(head):
    image = image_of(dipole(head, 0.3), head)
    assert image.crop(0.1, 0.3).trust is image.trust
    assert replace(image, evidence=None).trust is None


def test_it_prints_a_line_for_each_check(head):
    trust = image_of(dipole(head), head).trust
    first, *rest = str(trust).splitlines()
    assert first == "Trust: good"
    begun = [line.split("  ")[0] for line in rest if not line.startswith(" ")]
    assert begun == [line.label for line in trust.lines]
    assert max(map(len, rest)) <= 88  # of a page
    words = " ".join(" ".join(rest).split())
    assert all(line.meaning in words for line in trust.lines)
    assert trust.summary == "good"


def test_a_notebook_shows_it_as_a_table(head):
    trust = image_of(dipole(head), head).trust
    heads, cells = (
        re.findall(f"<{tag}[^>]*>(.*?)</{tag}>", trust._repr_html_())
        for tag in ("th", "td")
    )
    assert heads == ["trust: good", "value", "verdict", "meaning"]
    assert cells == [text for line in trust.lines for text in line]


def test_solvers_take_the_noise_of_their_baseline():
    import mne

    head = dl.load_head_model("template-75")
    rng = np.random.default_rng(0)
    eeg = 1e-7 * rng.standard_normal((75, 400))
    eeg[:, 200:] += 1e-8 * np.outer(head.leadfield[:, REGION], np.hanning(200))
    evoked = mne.EvokedArray(eeg, head.info, tmin=-0.4, verbose="error")
    options = {"tmin": 0.0, "tmax": 0.398}
    image = dl.image(evoked, "sloreta", baseline=(None, -0.002), **options)
    referenced = eeg - eeg.mean(axis=0)
    noise = np.trace(noise_covariance(referenced[:, :200].T)) / 75
    window = referenced[:, 200:] - referenced[:, 200:].mean(axis=1, keepdims=True)
    expected = 10 * np.log10(np.mean(window**2) / noise - 1)
    assert image.trust.signal_to_noise == pytest.approx(expected, abs=0.1)
    assert image.trust.explained is None
