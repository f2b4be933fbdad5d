"""ONNX: the same numbers from a runtime that knows nothing of torch."""

import json

import numpy as np
import pytest
import torch
from toys import toy_clips, toy_head

from deepsif_lite.errors import OptionError
from deepsif_lite.imaging import Imager
from deepsif_lite.network import build_network, portable
from deepsif_lite.synthesis import SyntheticEEG


def test_eigenvalues_are_those_of_lapack():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((3, 16, 16)) * 2.0 ** -np.arange(16)
    matrix = torch.as_tensor(factor.swapaxes(1, 2) @ factor)
    matrix[2] = torch.diag(torch.tensor(np.repeat([3.0, 1.0], 8)))  # already diagonal
    values, vectors = portable.eigh(matrix)
    torch.testing.assert_close(
        values, torch.linalg.eigvalsh(matrix), rtol=1e-9, atol=1e-12
    )
    back = vectors @ torch.diag_embed(values) @ vectors.transpose(1, 2)
    torch.testing.assert_close(back, matrix, rtol=1e-9, atol=1e-12)


def test_pairings_pair_all_with_all():
    for n in (5, 6):
        swaps = portable._pairings(n)
        np.testing.assert_array_equal(swaps.sum(0), 1 - np.eye(n))
        assert swaps.sum(2).max() == 1  # each in one pair at a time


def test_blocks_hold_what_the_whole_table_does():
    rng = np.random.default_rng(1)
    n_regions, n_shapes = 30, 4
    near = np.abs(np.subtract.outer(np.arange(n_regions), np.arange(n_regions))) < 5
    drawn = rng.random((n_regions, n_shapes, n_regions)) < 0.6
    members = torch.as_tensor((drawn & near[:, None]).reshape(-1, n_regions))
    table = portable.PatchTable(members)
    patches = torch.as_tensor(rng.integers(len(members), size=(2, 7)))
    assert torch.equal(table[patches], members[patches])
    dense = torch.as_tensor(rng.random((2, 3, len(members))))
    torch.testing.assert_close(table.product(dense), dense @ members.double())


@pytest.fixture(scope="module")
def model():
    head = toy_head()
    torch.manual_seed(1)
    few = {"n_shapes": 4, "n_scans": 2, "depth": 1, "most_together": 2}
    network = build_network("lite", 20, 120, **few)
    network.set_geometry(head.leadfield, head.cortex)
    with torch.no_grad():  # as if trained: every part has a say
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    spec = {"kind": "lite", "n_channels": 20, "n_regions": 120}
    card = {"network": spec, "ch_names": head.ch_names, "n_times": 500}
    return Imager(network.eval(), card, head, "cpu")


@pytest.mark.skipif(torch.__version__ < (2, 13), reason="the extra onnx needs 2.13")
def test_onnx_gives_what_torch_gives(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from deepsif_lite.imaging import export_onnx

    path = export_onnx(model.network, model.card, tmp_path / "new" / "lite.onnx")
    session = onnxruntime.InferenceSession(path)
    card = json.loads(session.get_modelmeta().custom_metadata_map["card"])
    assert card == model.card
    stream = SyntheticEEG(model.head, toy_clips(), n_sources=(1, 2, 3), seed=3)
    assert model.network.geometry.uses_sparse  # the network itself is as it was
    for i, n_times in enumerate((500, 500, 500, 210)):
        eeg = torch.as_tensor(stream[i].eeg)[None, :n_times]
        with torch.no_grad():
            expected = model.network.image(eeg)
        found = session.run(None, {"eeg": eeg.numpy()})
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5, rtol=0)
        assert np.abs(found[0]).max() > 1e-3  # there is something to compare


def test_other_networks_are_refused(model, tmp_path):
    from deepsif_lite.imaging import export_onnx

    with pytest.raises(OptionError, match="'paper'"):
        export_onnx(build_network("paper", 20, 30), model.card, tmp_path / "net.onnx")
