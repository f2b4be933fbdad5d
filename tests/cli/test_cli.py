from __future__ import annotations

import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import mne
import numpy as np
import pytest
from scipy.signal import detrend

from deepsif_lite.cli import main
from deepsif_lite.imaging import image
from deepsif_lite.metrics.extent import RULES
from deepsif_lite.network import NETWORKS
from deepsif_lite.neural_mass.connectome import CONNECTOMES
from deepsif_lite.profiles import PROFILES
from deepsif_lite.recordings import registry
from deepsif_lite.solvers import METHODS
from deepsif_lite.solvers.whitening import NOISE
from deepsif_lite.training.config import PRECISIONS


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    montage = mne.channels.make_standard_montage("biosemi64")
    info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
    rng = np.random.default_rng(0)
    data = detrend(1e-6 * rng.standard_normal((64, 200)).cumsum(axis=1))
    evoked = mne.EvokedArray(data, info, tmin=-0.1, comment="target", verbose=False)
    path = tmp_path_factory.mktemp("cli") / "subject-ave.fif"
    evoked.save(path, verbose=False)
    return path


@pytest.mark.filterwarnings("ignore:The channels predict")  # of each other: noise
@pytest.mark.filterwarnings("ignore:No region is more likely")
@pytest.mark.parametrize(
    ("method", "within"),
    [("sloreta", 1e-7), ("fast-ires", 1e-7), ("deepsif", 1e-4)],  # in single precision
)
def test_image_writes_what_the_library_computes(
    recording, tmp_path, capsys, method, within
):
    arguments = ["image", str(recording), "--method", method]
    arguments += ["--head", "template-64", "--out", str(tmp_path)]
    arguments += ["--tmin", "0", "--tmax", "0.2", "--baseline", "0", "0.1"]
    assert main(arguments) == 0
    printed, told = capsys.readouterr()
    assert len(printed.split()) >= 5
    assert "deepsif-lite: trust: " in told
    stc = mne.read_source_estimate(tmp_path / f"subject-ave-{method}")
    evoked = mne.read_evokeds(recording, 0, verbose=False).crop(0, 0.2)
    expected = image(evoked, method, "template-64", baseline=(0, 0.1)).to_stc()
    scale = np.abs(expected.data).max()
    np.testing.assert_allclose(stc.data, expected.data, rtol=1e-5, atol=within * scale)


SLOW = ("torch", "nilearn", "sklearn", "scipy.signal", "scipy.stats", "mne.report")


def test_a_solver_imports_nothing_slow(recording, tmp_path):
    code = (
        "import sys; from deepsif_lite.cli import main; main(); "
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    arguments = ["image", recording, "--method", "sloreta", "--out", tmp_path]
    command = [sys.executable, "-c", code, *map(str, arguments)]
    printed = subprocess.check_output(command, text=True).splitlines()
    assert len(printed) == 7
    assert printed[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["image", "nothing.fif"], "no file 'nothing.fif'"),
        (["image", "{recording}", "--method", "eloreta"], "choose one of"),
        (["image", "{recording}", "--condition", "x"], "holds ['target']"),
        (["image", "{recording}", "--method", "lcmv", "--head", "x"], "template-75"),
        (
            "image {recording} --model lite-75-known-head --head template-64".split(),
            "head='template-64'",
        ),
        (["image", "{recording}", "--method", "lcmv", "--model", "lite-64"], "model"),
        (["image", "{recording}", "--noise", "shrunk"], "needs the baseline"),
        (["image", "{recording}", "--match", "nose"], "argument --match"),
        (["image", "{recording}", "--bads", "Fp1", "X9"], "--bads ['X9']"),
        (["image", "{recording}", "--tmin", "start"], "--tmin: 'start' is not a numb"),
        (["image", "{recording}", "--tmin", "nan"], "--tmin: value=nan must"),
        (["image", "{recording}", "--out", "{recording}"], "--out: "),
        (["image", "{recording}", "--out", "{recording}/x"], "is a file; give a fold"),
        (["image"], "required: file (see deepsif-lite image --help)"),
        (["data", "--fetch", "nothing"], "choose one of"),
        (["evaluate", "--sources", "0"], "--sources: value=0 must be at least 1"),
        (["evaluate", "--samples", "0"], "--samples: value=0 must be at least 1"),
        (["evaluate", "--samples", "x"], "--samples: 'x' is not a whole number"),
        (["evaluate", "--methods", "eloreta"], "--methods: value='eloreta' is unknown"),
        (["evaluate", "--selections", "1.5"], "value=1.5 must lie between 0 and 1"),
        (["evaluate", "--selections", "x"], "value='x' is unknown"),
        (["evaluate", "--out", "{folder}"], "is a folder; give a file"),
        (["evaluate", "--resting", "published"], "--resting-share 0 go together"),
        (["evaluate", "--resting-share", "1.5"], "--resting-share: value=1.5"),
        (["train", "--out", "run", "--steps", "0"], "--steps: value=0 must be at"),
        (["train", "--out", "run", "--network", "x"], "--network: value='x' is unkn"),
        (["train", "--out", "run", "--precision", "x"], "--precision: value='x' is"),
        (["train", "--out", "run", "--profile", "x"], "--profile: invalid choice"),
        (["train", "--out", "run", "--device", "x"], "device='x' is unknown"),
        (["train", "--out", "run", "--initial", "none"], "none"),
        (["train", "--out", "{recording}"], "is a file; give a folder"),
        (["simulate", "--profile", "x"], "--profile: invalid choice"),
        (["simulate", "--connectome", "x"], "--connectome: value='x' is unknown"),
        (["simulate", "--seed", "-1"], "--seed: value=-1 must be at least 0"),
        (["pack", "--out", "head.txt"], "must end in .npz"),
        (["export", "--out", "net.pt"], "must end in .onnx"),
        (["build", "everything"], "argument part"),
        ([], "required: command"),
    ],
)
def test_errors_are_one_line_and_exit_code_two(recording, capsys, arguments, text):
    names = {"{recording}": recording, "{folder}": recording.parent}
    filled = arguments
    for placeholder, path in names.items():
        filled = [a.replace(placeholder, str(path)) for a in filled]
    assert main(filled) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("deepsif-lite: error: ")
    assert text in error


@pytest.mark.filterwarnings("ignore:The channels predict")
def test_files_whose_names_differ_after_a_dot_keep_their_results(
    recording, tmp_path, capsys
):
    names = ("a.b-ave.fif", "a.c-ave.fif", "a.c-ave.fif.gz")
    for name in names[:2]:
        (tmp_path / name).write_bytes(recording.read_bytes())
    mne.read_evokeds(recording, 0, verbose=False).save(tmp_path / names[2])
    for name in names:
        arguments = ["image", str(tmp_path / name), "--method", "sloreta"]
        assert main([*arguments, "--head", "template-64", "--out", str(tmp_path)]) == 0
    written = {path.name for path in tmp_path.glob("*-regions.csv")}
    assert written == {
        "a.b-ave-sloreta-regions.csv",
        "a.c-ave-sloreta-regions.csv",
    }
    assert (tmp_path / "a.b-ave-sloreta-lh.stc").exists()
    capsys.readouterr()


@pytest.mark.filterwarnings("ignore:The channels predict")
def test_bad_channels_are_left_out(recording, tmp_path, capsys):
    arguments = ["image", str(recording), "--method", "sloreta", "--bads", "Cz", "Pz"]
    arguments += ["--head", "template-64", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert "interpolated" not in capsys.readouterr().err
    stc = mne.read_source_estimate(tmp_path / "subject-ave-sloreta")
    evoked = mne.read_evokeds(recording, 0, verbose=False)
    evoked.drop_channels(["Cz", "Pz"])
    expected = image(evoked, "sloreta", "template-64").to_stc()
    np.testing.assert_allclose(stc.data, expected.data, rtol=1e-5, atol=1e-9)


def test_a_library_is_not_replaced(tmp_path, capsys):
    (tmp_path / "smoke-train.npz").write_bytes(b"another seed's")
    assert main(["simulate", "--profile", "smoke", "--out", str(tmp_path)]) == 2
    assert "holds a library already (smoke-train.npz)" in capsys.readouterr().err
    left = [path.name for path in tmp_path.iterdir() if path.name[0] != "."]
    assert left == ["smoke-train.npz"]  # beside the lock


def test_an_interrupt_is_told_in_one_line(recording, monkeypatch, capsys):
    from deepsif_lite.recordings import files

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "read_evoked", interrupted)
    assert main(["image", str(recording)]) == 130
    told = capsys.readouterr().err
    assert told.startswith("deepsif-lite: stopped; ")
    assert told.count("\n") == 1


def test_data_lists_every_published_file(capsys):
    assert main(["data"]) == 0
    printed = capsys.readouterr().out
    for name in registry():
        assert name in printed


def test_help_of_every_command(capsys):
    commands = "image simulate pack train evaluate export data build".split()
    for command in commands:
        with pytest.raises(SystemExit) as done:
            main([command, "--help"])
        assert done.value.code == 0
        assert f"usage: deepsif-lite {command}" in capsys.readouterr().out


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "deepsif_lite.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "usage: deepsif-lite" in done.stdout


def test_train_passes_its_arguments_on(monkeypatch, capsys, tmp_path):
    from deepsif_lite.spikes import library as spike_library
    from deepsif_lite.training import TrainingConfig
    from deepsif_lite.training import run as training

    seen = {}

    def train(head, clips, out, **options):
        seen.update(head=head.name, clips=clips, out=out, **options)
        return tmp_path / "run"

    monkeypatch.setattr(training, "train", train)

    def load(name, split, cortex):
        return SimpleNamespace(asked=(name, split, cortex.name))

    monkeypatch.setattr(spike_library, "load_spike_library", load)
    arguments = "train --head template-64 --steps 7 --batch-size 3 --seed 4"
    arguments += " --n-sources 1 2 --electrode-jitter 0 0.005 --no-resume"
    arguments += " --max-minutes 2 --out run"
    assert main(arguments.split()) == 0
    assert seen["head"] == "template-64"
    assert seen["clips"].asked == ("lite", "train", "template-994")
    assert (seen["out"].name, seen["max_minutes"]) == ("run", 2)
    config = seen["config"]
    assert (config.n_steps, config.batch_size, config.seed) == (7, 3, 4)
    assert (config.n_sources, config.electrode_jitter) == ((1, 2), (0, 0.005))
    assert seen["resume"] is False
    assert seen["resting"] is None
    resting = np.ones((2, 5, 3))
    np.save(tmp_path / "rest.npy", resting)
    rest = f"train --resting {tmp_path / 'rest.npy'} --resting-share 0.5 --out run"
    assert main(rest.split()) == 0
    np.testing.assert_array_equal(seen["resting"], resting)
    config = seen["config"]  # for any cap: of its variety
    assert (config.variety.resting_share, config.resting_share) == (0.5, 0)
    assert main(f"{rest} --head template-64".split()) == 0
    assert seen["config"].resting_share == 0.5
    assert seen["config"].ema_decay == TrainingConfig().ema_decay
    assert main("train --profile paper --network paper --out run".split()) == 0
    paper = seen["config"]
    assert paper.n_steps == 193_830  # twenty times 620,256 samples in batches of 64
    assert (paper.learning_rate, paper.weight_decay) == (3e-4, 1e-6)
    assert (paper.network, paper.n_sources) == ("paper", (1, 2, 3))
    assert paper.electrode_jitter == (0, 0)
    assert seen["resume"] is True
    assert capsys.readouterr().out.split() == 4 * [str(tmp_path / "run")]


def test_simulate_names_both_splits(monkeypatch, capsys, tmp_path):
    import pandas as pd

    from deepsif_lite.spikes import build as spike_build

    seen = {}

    def build(profile, out, **options):
        seen.update(profile=profile.name, out=out, **options)
        rows = [
            ("train", 5, 3, 4, 4, 2, "has clips"),
            ("train", 6, 0, 0, 0, 0, "not simulated"),
        ]
        columns = [
            "split",
            "region",
            "n_simulations",
            "n_spikes",
            "n_found",
            "n_clips",
            "status",
        ]
        report = pd.DataFrame(rows, columns=columns)
        report.to_csv(tmp_path / "smoke-regions.csv", index=False)

    monkeypatch.setattr(spike_build, "build_spike_library", build)
    assert main(["simulate", "--profile", "smoke", "--out", str(tmp_path)]) == 0
    assert (seen["profile"], seen["out"], seen["seed"]) == ("smoke", tmp_path, 0)
    assert seen["connectome"].name.startswith("template")
    *report, train, test = capsys.readouterr().out.splitlines()
    assert "1 of 2 regions have clips, 2 in all" in report[0]
    assert "1 of 2 regions without a clip, not simulated: 6" in report[1]
    paths = [str(tmp_path / f"smoke-{split}.npz") for split in ("train", "test")]
    assert [train, test] == paths


def test_evaluate_writes_a_row_a_source(monkeypatch, capsys, tmp_path):
    import pandas as pd

    from deepsif_lite.evaluation import METRICS
    from deepsif_lite.evaluation import synthetic as evaluation
    from deepsif_lite.imaging import loading as imaging
    from deepsif_lite.spikes import library as spike_library

    row = {
        "method": "deepsif",
        "selection": "corrected",
        "n_sources": 1,
        "snr_db": 10.0,
    }
    row |= dict.fromkeys([*METRICS, "recall_detected", "detected"], 0.5)
    row |= {"area_true_cm2": 20.0, "area_found_cm2": 18.0}
    table = pd.DataFrame([row | {"sample": i} for i in range(2)])
    cortex = SimpleNamespace(name="template-994")

    def load_model(name):
        return SimpleNamespace(asked=name, head=SimpleNamespace(cortex=cortex))

    def load_clips(name, split, on):
        assert on is cortex
        return SimpleNamespace(asked=split)

    monkeypatch.setattr(imaging, "load_model", load_model)
    monkeypatch.setattr(spike_library, "load_spike_library", load_clips)

    def evaluate(model, clips, **options):
        asked = model.asked, clips.asked, options["n_samples"], options["synthesis"]
        assert asked == ("lite-64", "test", 2, "published")
        return table

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    out = tmp_path / "new" / "scores.csv"
    arguments = ["evaluate", "--model", "lite-64", "--samples", "2", "--out", str(out)]
    assert main([*arguments, "--synthesis", "published"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(out), table)
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("command", "cure"),
    [("simulate", "call again to go on"), ("build cortex", "it begins anew")],
)
def test_a_stop_is_one_line_and_130(
    number, command, cure, tmp_path, monkeypatch, capsys
):
    def stopped(*_, **__):
        signal.raise_signal(number)

    monkeypatch.setattr("deepsif_lite.spikes.build.build_spike_library", stopped)
    monkeypatch.setattr("deepsif_lite.cortex.parcellation.store_parcellation", stopped)
    assert main([*command.split(), "--out", str(tmp_path)]) == 130
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("deepsif-lite: stopped; ")
    assert shown.err.endswith(f"{cure}.\n")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "choices"),
    [
        ("image", (*METHODS, *NOISE)),
        ("evaluate", (*METHODS, *RULES)),
        ("train", (*NETWORKS, *PRECISIONS, *PROFILES)),
        ("simulate", (*CONNECTOMES, *PROFILES)),
    ],
)
def test_help_names_every_choice(capsys, command, choices):
    """Their texts are typed: the modules that hold the choices are slow to import."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    words = set(re.findall(r"[\w-]+", capsys.readouterr().out))
    assert set(choices) <= words
