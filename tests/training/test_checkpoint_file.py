"""The file of a checkpoint: what was written comes back, or nothing does."""

import io

import numpy as np
import pytest
import torch
from damage import KINDS, damage, is_one_line

from deepsif_lite.errors import ArtifactError
from deepsif_lite.training.checkpoint_file import read_state, write_state

CPU = torch.device("cpu")
STATE = {
    "identity": {"config": {"seed": 0}, "initial": None},
    "learner": {"step": 3, "network": {"weight": torch.arange(60.0)}},
}


def is_same(state):
    weight = state["learner"]["network"].pop("weight")
    known = {**STATE, "learner": {"step": 3, "network": {}}}
    return state == known and torch.equal(weight, torch.arange(60.0))


@pytest.fixture
def path(tmp_path):
    write_state(tmp_path / "checkpoint.pt", STATE)
    return tmp_path / "checkpoint.pt"


def test_it_comes_back(path):
    assert is_same(read_state(path, CPU))
    assert is_same(torch.load(path, weights_only=True))


@pytest.mark.filterwarnings("ignore:.*no hash")
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_one_line_that_says_what_to_do(path, kind):
    damage(path, kind)
    with pytest.raises(ArtifactError, match=r"checkpoint\.pt.*--no-resume") as raised:
        read_state(path, CPU)
    assert is_one_line(raised.value)


def test_no_flipped_bit_is_taken_without_a_word(path):
    rng = np.random.default_rng(0)
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        content[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        try:
            state = read_state(path, CPU)
        except ArtifactError:
            refused += 1
        except UserWarning:  # its mark is what was hit
            with pytest.warns(UserWarning, match="no hash"):
                assert is_same(read_state(path, CPU))
        else:
            assert is_same(state)
    assert refused > 250


def test_files_of_former_versions_are_read_with_a_warning(path):
    buffer = io.BytesIO()
    torch.save(STATE, buffer)
    path.write_bytes(buffer.getvalue())
    with pytest.warns(UserWarning, match="no hash"):
        assert is_same(read_state(path, CPU))
