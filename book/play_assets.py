"""Write what the page "Play" loads: the network, the head, clips, the runtime.

Everything lies compressed in ``_static/play`` of the site and is fetched once, when the
reader presses the button.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import play_model
from numpy.typing import NDArray

import deepsif_lite as dl
from deepsif_lite.cortex import patch_dictionary
from deepsif_lite.figures.explorer import cortex_drawing, join_planes, list_arrays
from deepsif_lite.head import TEN_TWENTY, load_artifact_sources, load_scalp_potentials
from deepsif_lite.head.jitter import draw_moves
from deepsif_lite.signals import average_reference
from deepsif_lite.synthesis.mixing import project_clips

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "_build" / "play"
PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
RUNTIME = {
    "ort.wasm.min.mjs": "sha384-SfFfy/pvthiOsgaw3KX0bV5TfQ6Iq+oY9KutMe4SxIuHH4cl+DCSD4rTsYOoG1tJ",
    "ort-wasm-simd-threaded.mjs": "sha384-XcXA/MtAf0WpB8e023xQH9CM7RIjiugakT7x99DIwpFf7k56BIFFcAPerIF7FDad",
    "ort-wasm-simd-threaded.wasm": "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
}
"""Files of the runtime with their hashes, which the browser checks."""

CDN = f"https://cdn.jsdelivr.net/npm/{PACKAGE}@{VERSION}/dist/"
N_CLIPS = 8
MOVED = 0.01  # m, how far electrodes lie from where they are thought to be, at most
_TOP = 32767  # of a number of 16 bits
_LIDS = (0.0, 0.35, 1.0)  # a blink turns the field of the eyes upward
CAP_32 = [
    *TEN_TWENTY,
    *"Fpz FC5 FC1 FC2 FC6 CP5 CP1 CP2 CP6 TP9 TP10 POz Oz".split(),
]


def write(folder: Path) -> None:
    """Write all that the page needs.

    Parameters
    ----------
    folder : path
        ``_static/play`` of the site.
    """
    folder.mkdir(parents=True, exist_ok=True)
    library = ROOT / "deepsif_lite" / "figures" / "cortex_view.js"
    shutil.copy(library, folder)
    imager = dl.load_model("lite-75", device="cpu")
    write_network(imager, folder / "lite.onnx.gz")
    arrays, meta = describe(imager)
    meta["runtime"] = {"cdn": CDN, "files": RUNTIME, "local": copy_runtime(folder)}
    meta["arrays"] = list_arrays(arrays)
    (folder / "data.bin.gz").write_bytes(gzip.compress(join_planes(arrays), 9, mtime=0))
    (folder / "meta.json").write_text(json.dumps(meta))


def write_network(imager: dl.Imager, path: Path) -> None:
    """Export the network, or take what was exported of the same weights."""
    makers = b"".join(
        (ROOT / name).read_bytes()
        for name in ("book/play_model.py", "deepsif_lite/network/portable.py")
    )
    card = json.dumps(imager.card, sort_keys=True).encode()
    kept = CACHE / f"{hashlib.sha256(card + makers).hexdigest()[:16]}.onnx.gz"
    if not kept.is_file():
        play_model.export(imager.network, kept)
    shutil.copy(kept, path)


def describe(imager: dl.Imager) -> tuple[dict[str, NDArray], dict]:
    """Return the arrays of the page, and numbers and names about them."""
    head, cortex = imager.head, imager.head.cortex
    arrays, meta = cortex_drawing(head)
    network = imager.network
    members = patch_dictionary(cortex, network.n_shapes)
    rows, columns = np.nonzero(members)
    counts = members.sum(axis=1)
    steps = np.diff(columns, prepend=0)  # small within a patch, so they compress
    steps[np.cumsum(counts)[:-1]] = columns[np.cumsum(counts)[:-1]]
    pairs = np.argwhere(np.triu(cortex.adjacency))
    moved = moved_leadfield(head)
    arrays |= {
        "leadfield": head.leadfield.astype("<f4"),
        "reference": network.geometry.reference.numpy().astype("<f4"),
        "centroids": cortex.centroids.astype("<f4"),
        "areas": cortex.areas.astype("<f4"),
        "edges": pairs.astype("<u2"),
        "patch_size": counts.astype("u1"),
        "patch_steps": steps.astype("<i2"),
    }
    arrays["moved"], meta["moved_step"] = in_steps(moved - head.leadfield)
    blink = load_artifact_sources()
    eyes = [k for k, kind in enumerate(blink.sites.kind) if kind == "eye"][:2]
    field = blink.at(head.sensors)[:, eyes].sum(axis=1) @ _LIDS
    arrays["blink"] = (field / np.abs(average_reference(field)).max()).astype("<f4")
    clips = some_clips()
    projected = project_clips(clips, average_reference(head.leadfield), "cpu")
    background = projected.projected.numpy()  # (n_clips, n_coefs, n_channels)
    arrays["background"], meta["background_step"] = in_steps(background)
    arrays["waves"], meta["wave_step"] = in_steps(projected.waveforms.numpy())
    meta |= {
        "ch_names": list(head.ch_names),
        "caps": {
            "75 electrodes (10-10)": list(head.ch_names),
            "64 electrodes (BioSemi)": list(dl.load_head_model("template-64").ch_names),
            "32 electrodes": CAP_32,
            "19 electrodes (10-20)": list(TEN_TWENTY),
        },
        "n_shapes": network.n_shapes,
        "n_clips": N_CLIPS,
        "n_times": clips.n_times,
        "n_coefs": background.shape[1],
        "sfreq": clips.sfreq,
        "peaks": clips.peaks.tolist(),
        "noise_share": network.geometry.noise_share,
        "moved_mm": 1e3 * MOVED,
        "people": imager.card["recalibration"]["curve"],
    }
    return arrays, meta


def some_clips() -> dl.SpikeLibrary:
    """Return a few clips of the test split, evenly apart."""
    clips = dl.load_spike_library("lite", split="test")
    chosen = np.linspace(0, len(clips) - 1, N_CLIPS).round().astype(int)
    each = ("waveforms", "seeds", "peaks", "means", "gains", "settings", "levels")
    parts = {name: getattr(clips, name)[chosen] for name in each}
    return replace(clips, spans=[clips.spans[k] for k in chosen], **parts)


def moved_leadfield(head: dl.HeadModel) -> NDArray:
    """Return the leadfield with every electrode moved, each in a direction of its own."""
    moves = draw_moves(len(head.sensors), 1.0, np.random.default_rng(0))
    center = head.sensors.mean(axis=0)
    outward = head.sensors - center
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    aside = np.cross(outward, [0.0, 0.0, 1.0])
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    moves = moves / np.linalg.norm(moves, axis=1, keepdims=True)
    along = moves[:, :1] * aside + moves[:, 1:2] * np.cross(outward, aside)
    potentials = load_scalp_potentials()
    return potentials.at(head.sensors + MOVED * along)


def in_steps(values: NDArray) -> tuple[NDArray, float]:
    """Return values as whole numbers of 16 bits, and the size of one."""
    step = float(np.abs(values).max() / _TOP)
    return np.round(values / step).astype("<i2"), step


def copy_runtime(folder: Path) -> bool:
    """Copy the runtime from npm; return whether it could be had.

    Without npm, or without a network, the page asks a public server for the same files.
    """
    source = CACHE / f"{PACKAGE}-{VERSION}"
    shipped = [packed_name(name) for name in RUNTIME]
    if not all((source / name).is_file() for name in shipped) and not fetch(source):
        return False
    for name in shipped:
        shutil.copy(source / name, folder)
    return True


def packed_name(name: str) -> str:
    """Return under which name a file of the runtime is shipped."""
    # Servers of files compress scripts, but not this.
    return f"{name}.gz" if name.endswith(".wasm") else name


def fetch(target: Path) -> bool:
    """Fetch the runtime with npm, and refuse other files than those known."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    target.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    done = subprocess.run(command, cwd=target, capture_output=True, check=False)
    packed = target / f"{PACKAGE}-{VERSION}.tgz"
    if done.returncode or not packed.is_file():
        return False
    with tarfile.open(packed) as archive:
        for name in RUNTIME:
            content = archive.extractfile(f"package/dist/{name}").read()
            if integrity(content) != RUNTIME[name]:
                msg = f"{name} of {PACKAGE} {VERSION} is not the file that is known."
                raise RuntimeError(msg)
            if packed_name(name) != name:
                content = gzip.compress(content, 9, mtime=0)
            (target / packed_name(name)).write_bytes(content)
    packed.unlink()
    return True


def integrity(content: bytes) -> str:
    """Return the hash of a file as browsers compare it."""
    digest = hashlib.sha384(content).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"
