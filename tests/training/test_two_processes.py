"""Two processes that train one network learn what one does."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributed.run import main as torchrun
from toys import toy_clips, toy_head

from deepsif_lite.network import load_log, load_weights
from deepsif_lite.training import TrainingConfig, monitor, train


def learn(folder):
    """Train both kinds of network, of which every step is logged."""
    kinds = (("lite", 12, {"n_shapes": 4}), ("paper", 4, {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monitor, "LOG_EVERY", 1)
        for kind, n_steps, options in kinds:
            config = TrainingConfig(
                network=kind,
                n_steps=n_steps,
                batch_size=7,
                validation_size=5,
                score_size=2,
                score_every=6,
                ema_decay=0.9,
                options=options,
            )
            train(
                toy_head(),
                toy_clips(n_times=125),
                folder / kind,
                config=config,
                device="cpu",
                progress=False,
            )


TWO_PROCESSES = """
import sys
from pathlib import Path
from test_two_processes import learn
learn(Path(sys.argv[1]))
"""


def test_two_processes_learn_what_one_does(tmp_path, monkeypatch):
    """The same losses, step by step, whoever holds which share of a batch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    learn(tmp_path / "one")
    torch.set_num_threads(threads)
    script = tmp_path / "two.py"
    script.write_text(TWO_PROCESSES)
    here = Path(__file__).parent
    places = map(str, (here, here.parent, here.parents[1]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(places))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    arguments = ["--standalone", "--nproc-per-node=2", str(script)]
    torchrun([*arguments, str(tmp_path / "two")])
    for kind in ("lite", "paper"):
        one, two = (load_log(tmp_path / name / kind) for name in ("one", "two"))
        assert len(one["step"]) == len(two["step"]) >= 4
        for column in ("training_loss", "validation_loss", "recall"):
            np.testing.assert_allclose(two[column], one[column], rtol=1e-5)
        card = load_weights(tmp_path / "two" / kind)[1]
        assert card["training"]["processes"] == 2
