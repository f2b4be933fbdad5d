"""What is kept of a background, against the transform it is kept in."""

import numpy as np
import pytest
from scipy.fft import dct, idct
from toys import small_connectome

from deepsif_lite.neural_mass import simulate
from deepsif_lite.spikes import CLIP_SAMPLES
from deepsif_lite.spikes.packing import N_COEFS, STEP, pack_levels, unpack_levels


def test_packed_background_is_close_and_lossless_in_its_levels():
    psp = simulate(small_connectome(), noise_std=1.7, duration=1.5, stride=4)[0, 250:]
    levels = unpack_levels(pack_levels(psp), (psp.shape[1], N_COEFS))

    coefs = dct(psp.astype(float), axis=0, norm="ortho")[:N_COEFS].T / STEP
    # Magnitudes are rounded up from 0.6 on.
    assert (np.abs(levels - coefs) <= 0.6 + 1e-9).all()
    assert (levels == 0)[np.abs(coefs) < 0.599].all()
    back = idct(levels.T * STEP, n=len(psp), axis=0, norm="ortho")
    assert np.std(back - psp) < 0.11  # mV
    assert np.abs(back - psp).max() < 0.8


def test_large_levels_survive_and_impossible_ones_are_refused():
    constant = np.array([[0.0, 300.0, -300.0]]).repeat(CLIP_SAMPLES, axis=0)
    levels = unpack_levels(pack_levels(constant), (3, N_COEFS))
    expected = constant[0] * np.sqrt(CLIP_SAMPLES) / STEP
    assert abs(levels[:, 0] - expected).max() <= 1
    with pytest.raises(ValueError, match="activity reaches 900 mV"):
        pack_levels(3 * constant)
