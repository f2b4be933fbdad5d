"""The network of the ``lite`` profile as one ONNX file: EEG in, activity out."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..errors import MismatchError
from ..network import portable
from ..network.modes import temporal_modes
from ..paths import whole_file

if TYPE_CHECKING:
    from .imager import Imager

LEAST_TIMES = 16  # time points of a window, at least as many as modes


class _Portable(nn.Module):
    """A network with the steps that ONNX lacks replaced."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).cpu().eval()
        geometry = self.network.geometry
        # No sparse products either; the file keeps the matrices whole.
        geometry.times = lambda dense, name: dense @ getattr(geometry, name).float()
        self.network.modes = lambda eeg: temporal_modes(
            eeg @ geometry.whitener,
            network.n_modes,
            orthonormal=portable.orthonormal,
            eigh=portable.eigh,
        )

    def forward(self, eeg: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.image(eeg)


def export_onnx(model: Imager, path: str | Path) -> Path:
    """Write a network for runtimes without torch.

    Parameters
    ----------
    model : Imager
        Holds a ``lite`` network and its head model.
    path : path
        An ``.onnx`` file; its folder is created.

    Returns
    -------
    path : Path
        Input ``eeg``, float32 of shape (1, n_times, n_channels), normalized as
        :func:`deepsif_lite.signals.normalize` does, any number of time points
        from 16 on. Outputs ``activity`` (1, n_times, n_regions) and ``probability``
        (1, n_regions). The network's card is in the file's metadata as JSON, entry
        ``card``.

    Raises
    ------
    MismatchError
        The network is not of the ``lite`` profile.
    ImportError
        onnxscript is not installed.
    """
    kind = model.card["network"]["kind"]
    if kind != "lite":
        msg = f"model: a network of kind {kind!r} has no ONNX form; give a 'lite' one."
        raise MismatchError(msg)
    path = Path(path)
    n_times, n_channels = model.card["n_times"], model.card["network"]["n_channels"]
    example = torch.randn(1, n_times, n_channels)
    module = _Portable(model.network).eval()
    with torch.no_grad():
        module.network.modes(example)  # makes constants before the tracing begins
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            dynamic_shapes=({1: torch.export.Dim("n_times", min=LEAST_TIMES)},),
            input_names=["eeg"],
            output_names=["activity", "probability"],
            opset_version=18,
            verbose=False,
        )
    program.model.metadata_props["card"] = json.dumps(model.card)
    with whole_file(path) as partial:
        program.save(partial)
    return path
