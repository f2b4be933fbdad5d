from __future__ import annotations

import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.errors import MismatchError, SignalError, WindowError
from deepsif_lite.imaging import SourceImage, average

TIMES = np.arange(20) / 100


@pytest.fixture(scope="module")
def cortex():
    return dl.load_cortex()


def spike(cortex, region, sample, size=1.0, times=TIMES, **options):
    activity = np.zeros((cortex.n_regions, len(times)))
    activity[region, sample] = size
    return SourceImage(activity, times, cortex, "deepsif", **options)


def test_each_counts_alike_whatever_its_size(cortex):
    mean = average([spike(cortex, 3, 5, 10.0), spike(cortex, 7, 5, 0.1)])
    assert mean.activity[3, 5] == pytest.approx(0.5)
    assert mean.activity[7, 5] == pytest.approx(0.5)
    np.testing.assert_allclose(mean.times, TIMES)


def test_signs_cancel_and_magnitudes_do_not(cortex):
    pair = [spike(cortex, 3, 5), spike(cortex, 3, 5, -1.0)]
    assert not average(pair).activity.any()
    assert average(pair, magnitude=True).activity[3, 5] == 1


def test_times_are_laid_on_each_other(cortex):
    later = spike(cortex, 3, 12, times=TIMES + 1)
    mean = average([spike(cortex, 3, 5), later], at=[0.05, 1.12])
    assert mean.activity[3, np.abs(mean.times).argmin()] == pytest.approx(1)
    assert mean.times[0] == pytest.approx(-0.05)
    assert mean.times[-1] == pytest.approx(0.07)


def test_probabilities_are_averaged_where_all_have_them(cortex):
    sure = np.full(cortex.n_regions, 0.8)
    with_it = spike(cortex, 3, 5, probability=sure)
    without = spike(cortex, 3, 5)
    assert average([with_it, with_it]).probability[0] == pytest.approx(0.8)
    assert average([with_it, without]).probability is None
    assert average([with_it]).trust is None


def test_what_does_not_belong_together_is_refused(cortex):
    one = spike(cortex, 3, 5)
    with pytest.raises(SignalError, match="none"):
        average([])
    with pytest.raises(WindowError, match=r"images\[1\] has other times"):
        average([one, spike(cortex, 3, 5, times=TIMES + 1)])
    with pytest.raises(WindowError, match="outside"):
        average([one], at=[3.0])
    with pytest.raises(WindowError, match="2 times for 1"):
        average([one], at=[0.1, 0.1])
    other = SourceImage(one.activity, TIMES, cortex, "sloreta")
    with pytest.raises(MismatchError, match="another method"):
        average([one, other])
