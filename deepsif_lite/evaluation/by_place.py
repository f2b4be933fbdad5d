"""Where on the cortex images can be trusted: scores by place, for any cap and noise."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import content_hash, read_arrays, sha256, write_arrays
from ..errors import ArtifactError, check_range
from ..network.cards import head_fingerprint
from ..recordings.published import cache_dir
from .comparison import over_cortex
from .synthetic import evaluate

if TYPE_CHECKING:
    from ..imaging.imager import Imager
    from ..spikes.library import SpikeLibrary

_SCORES = ("recall", "precision", "error_mm")


@dataclass(frozen=True, eq=False)
class TrustMap:
    """What becomes of a source, by the place of its seed.

    Attributes
    ----------
    recall : array of shape (n_regions,)
        Share of the source that is found; 0 where it is missed.
    precision : array of shape (n_regions,)
        Share of what is found that belongs to the source; NaN where nothing is.
    error_mm : array of shape (n_regions,)
        Localization error of what is found, NaN where nothing is.
    """

    recall: NDArray
    precision: NDArray
    error_mm: NDArray


def trust_map(
    model: Imager,
    clips: SpikeLibrary,
    *,
    snr_db: float = 10.0,
    n_samples: int = 1988,
    seed: int = 0,
    progress: bool = True,
) -> TrustMap:
    """Simulate single sources all over the cortex, and image them.

    Each region shows the mean over the sources that begin within 15 mm. A map is
    computed once (a minute on two cores) and kept in the user's cache, by the contents
    of network, head and clips and by the arguments.

    Parameters
    ----------
    model : Imager
        On the electrodes asked about: ``load_model("lite").on(template_cap(info))``.
    clips : SpikeLibrary
        Clips that training has not seen.
    snr_db : float
        Signal-to-noise ratio at the scalp (dB).
    n_samples : int
        Recordings; by default two for each of the 994 parcels.
    seed : int
        Of the recordings.
    progress : bool
        Show a progress bar.

    Returns
    -------
    TrustMap

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.evaluation import trust_map
    >>> from deepsif_lite.head import TEN_TWENTY, template_cap
    >>> model = dl.load_model("lite").on(template_cap(TEN_TWENTY))
    >>> trust_map(model, dl.load_spike_library(), n_samples=20).recall.shape
    (994,)
    """
    check_range("n_samples", n_samples, 1)
    contents = _content(model), _content_of_clips(clips), head_fingerprint(model.head)
    key = json.dumps([*contents, snr_db, n_samples, seed])
    path = cache_dir() / "trust" / f"{sha256(key.encode())[:16]}.npz"
    try:
        return TrustMap(**read_arrays(path))
    except (FileNotFoundError, ArtifactError):  # a damaged copy is made anew
        pass
    table = evaluate(
        model,
        clips,
        methods=("deepsif",),
        selections=("probability",),
        n_sources=(1,),
        n_samples=n_samples,
        sensor_snr=(snr_db,),
        seed=seed,
        progress=progress,
    )
    cortex = model.head.cortex
    maps = {score: over_cortex(table, score, cortex) for score in _SCORES}
    write_arrays(path, maps)
    return TrustMap(**maps)


def _content(model: Imager) -> str:
    """Return the hash of a network's weights and of how they are used.

    Its card would do for a network as it was loaded, but not for one that was changed.
    """
    weights = {k: v.cpu().numpy() for k, v in model.network.state_dict().items()}
    return content_hash(weights) + json.dumps(model.card["network"], sort_keys=True)


def _content_of_clips(clips: SpikeLibrary) -> str:
    """Return the hash of all that a library holds."""
    held = {field.name: getattr(clips, field.name) for field in fields(clips)}
    spans = held.pop("spans")
    held |= {"spans": np.concatenate(spans), "n_spans": [len(each) for each in spans]}
    return content_hash({name: np.asarray(value) for name, value in held.items()})
