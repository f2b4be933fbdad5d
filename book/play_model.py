"""The network of the page "Play": one ONNX file for any cap of named electrodes.

The exported graph knows the cortex and what was learned; what belongs to a cap (whitener
and scalp maps of parcels and patches) are inputs, which the page computes from a
leadfield. Caps of fewer electrodes are padded with zeros, which change nothing.
"""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

CAP_INPUTS = ("whitener", "parcel_maps", "round_maps", "patch_maps", "translation")
_LEAST_TIMES = 16  # at least as many as modes
_OPSET = 18
_SMALL = 256  # values below which halves save nothing


class _Image(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, eeg: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.image(eeg)


class _ForAnyCap(nn.Module):
    """What the graph computes: the network with the maps of a cap put in."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.image = _Image(network)

    def forward(
        self,
        eeg: Tensor,
        whitener: Tensor,
        parcel_maps: Tensor,
        round_maps: Tensor,
        patch_maps: Tensor,
        translation: Tensor,
    ) -> tuple[Tensor, Tensor]:
        maps = (whitener, parcel_maps, round_maps, patch_maps, translation)
        given = zip(CAP_INPUTS, maps, strict=True)
        state = {f"network.geometry.{name}": value for name, value in given}
        return torch.func.functional_call(self.image, state, (eeg,))


def export(network: nn.Module, path: Path) -> Path:
    """Write the compressed graph.

    Parameters
    ----------
    network : SourceNetwork
        The lite network on the montage that it was made for.
    path : path
        ``.onnx.gz``.
    """
    portable = network.portable()
    geometry = portable.geometry
    n_channels = len(geometry.whitener)
    eeg = torch.randn(1, 500, n_channels, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        portable.image(eeg)  # makes constants before the tracing begins
        n_times = torch.export.Dim("n_times", min=_LEAST_TIMES)
        program = torch.onnx.export(
            _ForAnyCap(portable).eval(),
            (eeg, *(getattr(geometry, name) for name in CAP_INPUTS)),
            dynamo=True,
            dynamic_shapes=({1: n_times}, *[None] * len(CAP_INPUTS)),
            input_names=["eeg", *CAP_INPUTS],
            output_names=["activity", "probability"],
            opset_version=_OPSET,
            verbose=False,
        )
    model = program.model_proto
    store_halves(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(model.SerializeToString(), 9, mtime=0))
    return path


def store_halves(model) -> None:
    """Store constants that are halves as halves, in place; the runtime widens them.

    Learned weights are shipped as halves, so nothing is lost.
    """
    from onnx import TensorProto, helper, numpy_helper

    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if values.size < _SMALL or not np.array_equal(halves, values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}_half"))
        cast = helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)
        model.graph.node.insert(0, cast)
