"""What is read can run nothing: no pickle, no address but https, no script in a page."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from toys import toy_head

import deepsif_lite
from deepsif_lite.artifacts import read_arrays, sha256
from deepsif_lite.cli.shared import load_resting
from deepsif_lite.errors import ArtifactError, DeepSIFError
from deepsif_lite.head import load_training_head
from deepsif_lite.network import (
    build_network,
    edit_card,
    head_fingerprint,
    load_weights,
    save_weights,
)
from deepsif_lite.spikes import load_spike_library
from deepsif_lite.training.checkpoint_file import _MARK, read_state

PACKAGE = Path(deepsif_lite.__file__).parent
ROOT = Path(__file__).parents[1]
FOLDERS = [PACKAGE, *(ROOT / name for name in ("benchmarks", "book", "notebooks"))]
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
UNPICKLERS = {"cloudpickle", "dill", "marshal", "pickle", "shelve"}
READS_PICKLES = {  # and what keeps it from doing so
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
    "joblib.load": None,
    "pd.read_pickle": None,
    "torch.jit.load": None,
    "eval": None,
    "exec": None,
}
ASKS_THE_NETWORK = {"ftplib", "http", "pooch", "requests", "socket", "urllib"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def faults(source):
    """Return calls that could load a pickle, and imports of what loads one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += sorted(imported(node) & UNPICKLERS)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {(k.arg, ast.unparse(k.value)) for k in node.keywords}
            need = READS_PICKLES.get(name)
            if name in READS_PICKLES and (
                need is None or (need[0], str(need[1])) not in given
            ):
                found.append(name)
    return found


def imported(node):
    """Return the packages that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return {node.module.split(".")[0]} if node.module and not node.level else set()
    return {each.name.split(".")[0] for each in node.names}


@each_file
def test_no_pickle_is_read(path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path, weights_only=False)",
        "joblib.load(path)",
    ],
)
def test_what_reads_a_pickle_is_found(source):
    assert len(faults(source)) == 1


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_one_file_alone_downloads(path):
    """There every address is https and every content has a SHA-256."""
    text = path.read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(text))
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    found = set().union(*map(imported, imports)) & ASKS_THE_NETWORK
    assert found <= ({"pooch"} if path.name == "published.py" else set())


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        """Be made anew by making the folder."""
        return Path.mkdir, (self.path,)


@pytest.fixture
def fuse(tmp_path):
    """The folder; the bomb works where pickles are read."""
    path = tmp_path / "exploded"
    pickle.loads(pickle.dumps(Bomb(path)))
    path.rmdir()
    yield path
    assert not path.exists()


@pytest.fixture
def bomb(fuse):
    """An array that numpy stores as a pickle."""
    array = np.empty(1, object)
    array[0] = Bomb(fuse)
    return array


def test_no_array_runs_code(tmp_path, bomb):
    path = tmp_path / "bomb-train.npz"
    np.savez(path, sha256=bomb, shape=bomb)
    for read in (read_arrays, load_training_head):
        with pytest.raises(ArtifactError, match="damaged.*Object arrays"):
            read(path)
    with pytest.raises(ArtifactError, match="damaged.*Object arrays"):
        load_spike_library(tmp_path / "bomb", split="train")
    np.save(tmp_path / "bomb.npy", bomb, allow_pickle=True)
    with pytest.raises(DeepSIFError, match="no .npy file of numbers"):
        load_resting(str(tmp_path / "bomb.npy"), 0.5)


def test_no_array_file_is_read_as_a_pickle(tmp_path, fuse):
    for name in ("bomb-train.npz", "bomb.npy"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb(fuse)))
    with pytest.raises(ArtifactError, match="damaged"):
        read_arrays(tmp_path / "bomb-train.npz")
    with pytest.raises(DeepSIFError, match="no .npy file of numbers"):
        load_resting(str(tmp_path / "bomb.npy"), 0.5)


@pytest.mark.filterwarnings("ignore:.*no hash")
@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("write", [torch.save, pickle.dump])
def test_no_checkpoint_runs_code(tmp_path, fuse, sealed, write):
    """Nor does one whose maker knows how hashes are made."""
    path = tmp_path / "checkpoint.pt"
    with path.open("wb") as file:
        write({"identity": Bomb(fuse)}, file)
    if sealed:
        content = path.read_bytes()
        path.write_bytes(content + _MARK + sha256(content).encode())
    with pytest.raises(ArtifactError, match="damaged.*--no-resume"):
        read_state(path, torch.device("cpu"))


def test_no_weights_run_code(tmp_path, fuse):
    spec, head = {"kind": "paper", "n_channels": 20, "n_regions": 30}, toy_head()
    card = {"network": spec, "ch_names": head.ch_names, "head": "toy"}
    card["head_hash"] = head_fingerprint(head)
    save_weights(build_network(**spec), tmp_path, card)
    (path,) = tmp_path.glob("*.safetensors")
    for write in (torch.save, pickle.dump):
        with path.open("wb") as file:
            write(Bomb(fuse), file)
        edit_card(tmp_path, files={path.name: sha256(path.read_bytes())})
        with pytest.raises(ArtifactError, match="damaged"):
            load_weights(tmp_path)
