"""The network of the ``lite`` profile as one ONNX file: EEG in, activity out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .._lazy import import_optional
from ..paths import whole_file

if TYPE_CHECKING:
    from ..network.protocol import SourceNetwork

_LEAST_TIMES = 16  # time points of a window, at least as many as modes
_OPSET = 18


class _Image(nn.Module):
    """What the exported graph computes."""

    def __init__(self, network: SourceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, eeg: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.image(eeg)


def export_onnx(network: SourceNetwork, card: dict, path: str | Path) -> Path:
    """Write a network for runtimes without torch.

    Writing needs torch 2.13 (the extra ``onnx``). ONNX Runtime runs it from its version
    1.29 on: earlier ones have no cosine in double precision.

    Parameters
    ----------
    network : SourceNetwork
        A ``lite`` network that knows its head model, such as that of an
        :class:`~deepsif_lite.imaging.Imager`.
    card : dict
        The network's card.
    path : path
        An ``.onnx`` file; its folder is created.

    Returns
    -------
    path : Path
        Input ``eeg``, float32 of shape (1, n_times, n_channels), normalized as
        :func:`deepsif_lite.signals.normalize` does, any number of time points
        from 16 on. Outputs ``activity`` (1, n_times, n_regions) and ``probability``
        (1, n_regions). The card is in the file's metadata as JSON, entry ``card``; its
        ``recalibration`` makes probabilities of recordings true of people, see
        :class:`~deepsif_lite.imaging.BetaCalibration`.

    Raises
    ------
    OptionError
        The network is not of the ``lite`` profile.
    ImportError
        onnxscript is not installed.
    """
    portable = network.portable()
    import_optional("onnxscript", "onnx", "Writing ONNX")
    path = Path(path)
    example = torch.randn(
        1,
        card["n_times"],
        len(card["ch_names"]),
        generator=torch.Generator().manual_seed(0),
    )
    with torch.no_grad():
        portable.image(example)  # makes constants before the tracing begins
        program = torch.onnx.export(
            _Image(portable).eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=({1: torch.export.Dim("n_times", min=_LEAST_TIMES)},),
            input_names=["eeg"],
            output_names=["activity", "probability"],
            opset_version=_OPSET,
            verbose=False,
        )
    program.model.metadata_props["card"] = json.dumps(card)
    with whole_file(path) as partial:
        program.save(partial)
    return path
