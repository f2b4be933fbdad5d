"""Training on a machine that has little: packs of head models, no extra libraries."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepsif_lite as dl
from deepsif_lite.cortex import Parcels
from deepsif_lite.head import load_training_head, pack_head
from deepsif_lite.network import head_fingerprint

BARE = """
import sys

for name in (
    "joblib", "matplotlib", "mne", "nilearn", "numba", "pandas", "pooch", "skimage",
    "sklearn", "tqdm",
):
    sys.modules[name] = None  # which makes its import fail

from deepsif_lite.head import load_training_head
from deepsif_lite.spikes import load_spike_library
from deepsif_lite.training import TrainingConfig, train

config = TrainingConfig(
    n_steps=3, batch_size=4, validation_size=4, score_size=3, score_every=1,
    options={"n_shapes": 4},
)
head, clips = load_training_head(), load_spike_library("lite", split="test")
for minutes in (0, None):
    train(head, clips, sys.argv[1], config=config, device="cpu", max_minutes=minutes)
"""


def test_training_needs_numpy_scipy_torch_and_safetensors_alone(tmp_path):
    script = tmp_path / "bare.py"
    script.write_text(BARE)
    env = os.environ | {"PYTHONPATH": str(Path(dl.__file__).parents[1])}
    out = tmp_path / "run"
    subprocess.run([sys.executable, str(script), str(out)], check=True, env=env)
    rows = list(csv.DictReader((out / "log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["3"]
    assert 0 <= float(rows[0]["recall"]) <= 1
    model = dl.load_model(out)  # here, with everything installed
    assert model.card["training"]["steps_done"] == 3


@pytest.mark.parametrize("name", ["template-75", "template-64"])
def test_shipped_packs_are_those_of_the_head_models(name):
    head, packed = dl.load_head_model(name), load_training_head(name)
    assert isinstance(packed.cortex, Parcels)
    assert not isinstance(packed.cortex, dl.Cortex)
    assert head_fingerprint(packed) == head_fingerprint(head)
    assert (packed.name, packed.ch_names) == (head.name, head.ch_names)
    np.testing.assert_allclose(packed.leadfield, head.leadfield, rtol=1e-12)
    np.testing.assert_allclose(packed.sensors, head.sensors, rtol=1e-9)
    for part in ("areas", "distances", "inflated_centroids"):
        ours, theirs = getattr(packed.cortex, part), getattr(head.cortex, part)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(packed.cortex.adjacency, head.cortex.adjacency)


def test_a_pack_gives_the_samples_of_its_head(tmp_path):
    from toys import toy_clips, toy_head

    head, clips = toy_head(), toy_clips()
    packed = load_training_head(pack_head(head, tmp_path / "new" / "toy.npz"))
    ours, theirs = (
        dl.SyntheticEEG(h, clips, seed=3, electrode_jitter=(0.0, 0.01))[5]
        for h in (packed, head)
    )
    np.testing.assert_array_equal(ours.eeg, theirs.eeg)
    np.testing.assert_array_equal(ours.activity, theirs.activity)


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="template-75"):
        load_training_head("nothing.npz")
