# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Image your own EEG
#
# This chapter takes a recording from a file to a source image that other programs can open: first from a shell, then from Python.
# It shows what is checked on the way, what is repaired with a warning, and what is refused.
#
# **Paper map.** None: the paper publishes no tool for this. The steps are those of its Methods, "Sensory and Cognitive Data Analyses" {cite:p}`sun2022deepsif`. Those who used the authors' code find each of its steps in [If you come from the authors' code](../book/from_the_authors_code.md).
#
# **Library.** {py:func}`dl.image <deepsif_lite.image>`, {py:func}`dl.image_epochs <deepsif_lite.image_epochs>`, {py:func}`dl.image_raw <deepsif_lite.image_raw>`, {py:func}`dl.load_head_model <deepsif_lite.load_head_model>`, and the modules {py:mod}`recordings <deepsif_lite.recordings>` and {py:mod}`imaging <deepsif_lite.imaging>`.
#
# **You will learn**
# - how to get from an EDF file to a report in one command;
# - how to image averages, single epochs and long recordings, and how to average spikes;
# - what the messages mean and what to do;
# - how to hand the result to other programs.
#
# **Run time.** Half a minute at profile `lite` on two cores.
#
# :::{warning}
# Research software, not a medical device.
# :::

# %% tags=["parameters"]
profile = "lite"

# %%
import io
import tempfile
import textwrap
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import matplotlib.pyplot as plt
import mne
import numpy as np
import pandas as pd

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.cli import main as deepsif_lite_command
from deepsif_lite.imaging import write_courses, write_derivative

dl.figures.use_style()
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## What you need
#
# - **A short response**, not hours of EEG: an average around an event (spikes, stimuli), about one second long. Long recordings are imaged in windows of a second.
# - **Clean data**: filtered (0.5 or 1 to 40 Hz), artifacts removed, bad channels marked. Source imaging turns artifacts into sources.
# - **Volts**, as everywhere in MNE.
# - **Channels** with 10-10 names, or with positions: any cap, of 16 electrodes or more if possible, of eight at least. [Chapter 3](03_training.ipynb) says what fewer cost.
#
# ## From a shell: an EDF file with names only
#
# Clinical systems export EDF: names such as `EEG Fp1-REF`, no positions.
# To have one here, a virtual patient's single spikes are written into a file of half a minute, one every few seconds, each marked as `spike`.

# %%
head = dl.load_head_model("template", channels=dl.head.TEN_TWENTY)
cap = dl.load_head_model("template-75").pick(head.ch_names)
clips = dl.load_spike_library("lite", split="test")
patient = evaluation.virtual_cohort(1, cap, clips, seed=5)[0]
print(f"{patient.name}: {patient.n_spikes} spikes, {len(cap.ch_names)} electrodes")

# %% tags=["hide-input"]
gap, n_shown, sfreq = 3.0, 6, clips.sfreq
single = patient.spikes.get_data()[:n_shown]
eeg = np.zeros((single.shape[1], int(sfreq * gap * (n_shown + 1))))
onsets = gap * (1 + np.arange(n_shown))
for onset, spike in zip(onsets, single, strict=True):
    start = int(sfreq * (onset - 1))
    eeg[:, start : start + spike.shape[1]] += spike
eeg += 2e-6 * np.random.default_rng(0).standard_normal(eeg.shape)
info = mne.create_info([f"EEG {n}-REF" for n in cap.ch_names], sfreq, "eeg")
marks = mne.Annotations(onsets, 0, "spike")
raw = mne.io.RawArray(eeg, info, verbose="error").set_annotations(marks)

# %%
edf = folder / "night.edf"
try:
    mne.export.export_raw(edf, raw, verbose="error")
except (ImportError, RuntimeError):  # MNE writes EDF by an optional package, edfio
    edf = folder / "night_raw.fif"
    raw.save(edf, verbose="error")
print(edf.name, f"{edf.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# One line averages what lies half a second around the marks, images the average, and writes a source estimate, a table, figures and a report:
#
# ```bash
# deepsif-lite image night.edf --condition spike \
#     --tmin -0.5 --tmax 0.5 --out results
# ```
#
# The cell below runs the same command.


# %%
def from_a_shell(arguments):
    """Run deepsif-lite; return the files it names and its last line."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = deepsif_lite_command(arguments.split())
    last = err.getvalue().splitlines()[-1]
    return out.getvalue().splitlines(), f"{last} (exit code {code})"


marked = f"image {edf} --condition spike --tmin -0.5 --tmax 0.5"
written, last = from_a_shell(f"{marked} --out {folder / 'results'}")
for line in written:
    print(Path(line).name)
print(textwrap.fill(last, 76))

# %% [markdown]
# `night-deepsif-report.html` opens in any browser, on a phone too, and prints on two pages: the image, how sure it is, how far to trust it, the strongest regions, and the EEG with its scalp map. `night-deepsif-cortex.html` is a cortex to turn and click.
#
# Without `--condition`, the window is one of the recording, here around the first spike alone. Compare the last lines:

# %%
alone = f"image {edf} --tmin 2.5 --tmax 3.5 --out {folder / 'single'}"
print(textwrap.fill(from_a_shell(alone)[1], 76))

# %% [markdown]
# Other options choose the method, bad channels, the baseline: `deepsif-lite image --help`.
# BrainVision (`.vhdr`), EEGLAB (`.set`), BDF, FIF and whatever else MNE reads go the same way. A table of numbers says neither unit nor rate; four lines of Python do, and make microvolts volts:
#
# ```python
# table = pd.read_csv("night.csv", index_col="time")  # one column an electrode
# info = mne.create_info(list(table), 500.0, "eeg")  # samples a second
# raw = mne.io.RawArray(1e-6 * table.to_numpy().T, info)
# raw.save("night_raw.fif")
# ```
#
# ## An average
#
# In Python, the same takes a few lines more, and anything may be done on the way; here a filter. Spikes are marked by hand in any viewer (MNE's `raw.plot()` keeps annotations), epochs cut around the marks, and averaged:

# %%
recording = mne.io.read_raw(edf, preload=True, verbose="error")
recording.filter(0.5, 40.0, verbose="error")
events, codes = mne.events_from_annotations(recording, verbose="error")
epochs = mne.Epochs(
    recording, events, codes, -1.0, 0.5, baseline=None, preload=True, verbose="error"
)
average = epochs.average()
print(f"average of {average.nave} spikes, {len(average.ch_names)} channels")

# %% [markdown]
# Marks made by hand are a few samples off the peak; shifting each spike so that its largest sample, in the channel where it is clearest, comes at time 0 makes the average sharper (here the marks are exact).
#
# One call makes the image. Names say where the electrodes are: case, prefix and ending that all names share and the old names T3, T4, T5, T6 do not matter. Nothing is interpolated: electrodes that are missing or bad leave the leadfield as they have left the data.

# %% table={"caption": "How far to trust the image of the averaged spike."}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    image = dl.image(average, tmin=-0.5, tmax=0.5)
for warning in caught:
    print(textwrap.fill(str(warning.message), 76))
image.trust

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The virtual patient's averaged spike, imaged on the electrodes of the file: the 20 ms around its peak. Outlined: the extent, and the true source.", "name": "fig-own-image"}, "image": {"alt": "Views of the inflated cortex with a colored map, the outline of the extent and that of the true source."}}
outlines = {"extent": image.extent(-0.05, 0.05, of="mean"), "source": patient.source}
fig, axes = image.plot(-0.01, 0.01, title=patient.label, outlines=outlines)
plt.show()

# %% [markdown]
# The table of regions has their place in fsaverage and in MNI152, their area (mm²), and the Brodmann area where the atlas is at hand:

# %% table={"caption": "The first rows of the table of regions, some of its columns."}
table = image.to_table(-0.05, 0.05, of="mean")
columns = ["hemisphere", "atlas", "mni_x_mm", "mni_y_mm", "mni_z_mm", "probability"]
print("all columns:", textwrap.fill(", ".join(table), 76))
table.set_index("region")[columns].head().round(2)

# %% [markdown]
# The network's output has **no unit**. `probability` says how likely each region was active at any time of the window, in people, whose heads no model gives exactly; [chapter 4](04_evaluation.ipynb) shows where it is [calibrated](../book/glossary.md).
#
# ## Single epochs, and long recordings
#
# {py:func}`dl.image_epochs <deepsif_lite.image_epochs>` images each epoch alone: where single spikes agree, the average means something. {py:func}`dl.image_raw <deepsif_lite.image_raw>` takes a long recording in windows, read as they are needed. {py:func}`dl.average <deepsif_lite.average>` averages images.

# %%
with warnings.catch_warnings(action="ignore"):
    each = list(dl.image_epochs(epochs, tmin=-0.5, tmax=0.5))
mean = dl.average(each, magnitude=True)
for name, found in {"average of EEG": image, "average of images": mean}.items():
    x, y, z = (1e3 * found.center(10, -0.05, 0.05)).round()
    print(f"{name}: ten strongest regions around ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %%
with warnings.catch_warnings(action="ignore"):
    windows = list(dl.image_raw(recording, window=1.0, overlap=0.0, tmax=9.0))
for window in windows:
    low, high = window.times[[0, -1]]
    print(f"{low:4.1f} to {high:4.1f} s, largest probability", end=" ")
    print(f"{window.probability.max():.2f}, {window.trust.verdict}")

# %% [markdown]
# A window cuts a spike where it happens to end; for spikes, epochs around the marks are better.
#
# ## Other methods
#
# They take the same recording, and a time without signal (`baseline`) for the noise:

# %%
with warnings.catch_warnings(action="ignore"):
    other = dl.image(average, "sloreta", baseline=(-1.0, -0.6), tmin=-0.5, tmax=0.5)
for method, found in (("DeepSIF", image), ("sLORETA", other)):
    x, y, z = (1e3 * found.center(10, -0.05, 0.05)).round()
    print(f"{method}: ten strongest regions around ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %% [markdown]
# ## And MEG?
#
# Magnetometers see the same sources, in tesla instead of volts and without any reference.
# The library has the field of its regions at a helmet of 148 of them (a construction, `load_head_model("template-meg-148")`), and `benchmarks/meg.py` trains the shipped network on for it.
# Its weights are not shipped; here are its scores on fresh recordings of the same sources, beside those of EEG with 75 electrodes: means over one, two and three sources, with their standard errors.

# %% tags=["hide-input"] table={"caption": "EEG and MEG of the same sources: means ± standard errors."}
scores = dl.results.read_experiment("meg")
NAMES = {"deepsif": "DeepSIF", "known head": "DeepSIF of one cap"}
NAMES |= {m: dl.figures.method_name(m) for m in ("sloreta", "lcmv")}
shown = {"precision": "precision", "recall": "recall", "error_mm": "error (mm)"}
shown |= {"average_precision": "average precision"}
rows = []
for (modality, method), part in scores.groupby(["modality", "method"], sort=False):
    row = {"sensors": modality, "method": NAMES.get(method, f"DeepSIF, {method}")}
    for column, label in shown.items():
        mean = part[column].mean()  # sets are of one size
        error = np.sqrt((part[f"{column}_error"] ** 2).sum()) / len(part)
        row[label] = f"{mean:.2f} ± {error:.2f}"
    rows.append(row)
n, done, planned = scores[["n", "steps", "planned"]].iloc[0]
of = "" if done == planned else f"of {planned} planned "
print(f"{n} recordings a set; trained on for {done} {of}steps")
pd.DataFrame(rows).set_index(["sensors", "method"])

# %% [markdown]
# (*DeepSIF of one cap* is `lite-75-known-head`.)
# Both heads are known exactly and noise is white at the same ratio on every channel, so the rows compare what the sensors see and how many there are, not two laboratories; a real recording loses more, by the head's place in the helmet.
# MEG hardly sees what points straight outward ([chapter 2](02_forward.ipynb)), which may be where its recall differs.
#
# `dl.image` is for EEG and refuses a recording of magnetometers alone, because every helmet needs a leadfield of its own. With one (a {py:class}`HeadModel <deepsif_lite.HeadModel>` of `modality="meg"`), give the values to a solver, or to the network as it is (in the table: not trained for MEG), or train on with it as the benchmark does:

# %%
helmet = dl.load_head_model("template-meg-148")
patch = [120, *helmet.cortex.neighbors[120]]
field = 1e-9 * np.outer(np.hanning(100), helmet.leadfield[:, patch].sum(axis=1))  # T
moved = dl.load_model("lite", head=helmet, transfer=True)
for name, found in {
    "sLORETA": dl.solvers.get_solver("sloreta")(field, helmet),
    "DeepSIF": moved.predict(field),
}.items():
    strongest = np.abs(found).max(axis=0).argmax()
    print(f"{name}: region {strongest} of a patch around region 120")
try:
    dl.image(mne.EvokedArray(field.T, helmet.info, verbose="error"))
except dl.errors.ChannelError as error:
    print(textwrap.fill(f"refused: {error}", 76))

# %% [markdown]
# ## Save it
#
# `write_image` writes what the command writes. `write_courses` writes the time course of every region as a table or as a dataset for EEGLAB; `write_derivative` puts all in a folder of a BIDS dataset's derivatives, under names that MNE-BIDS reads; [chapter 5](05_epilepsy.ipynb) names the reader of patients from such folders.

# %%
write_courses(image, folder / "courses.csv")
write_courses(image, folder / "courses.set")
written = write_derivative(
    image, average, folder / "derivatives", subject="01", task="rest"
)
for path in written:
    print(path.relative_to(folder))

# %%
stc = mne.read_source_estimate(folder / "derivatives/sub-01/stc/rest-deepsif")
print(f"source estimate: {stc.data.shape[0]} vertices, {stc.data.shape[1]} samples")
regions = mne.io.read_raw_eeglab(folder / "courses.set", verbose="error")
print(f"EEGLAB: {len(regions.ch_names)} regions, {regions.info['sfreq']:.0f} Hz")

# %% [markdown]
# The source estimate is on fsaverage5, for MNE (`stc.plot`) and FreeSurfer's tools. Where the person's MRI went through FreeSurfer's `recon-all`, {py:func}`morph_to_subject <deepsif_lite.imaging.morph_to_subject>` brings the image to their own cortex, as the paper does for its patients:
#
# ```python
# own = dl.imaging.morph_to_subject(image, "sub-01", subjects_dir)
# own.plot("sub-01", subjects_dir=subjects_dir, hemi="both", initial_time=0.0)
# ```
#
# The head model stays the template's: an own cortex shows where regions lie, and makes nothing more exact.
#
# In a notebook, the cortex to turn and click is one call; a click on a region shows its scalp map.

# %% tags=["nbval-ignore-output"]
at_peak = (image.map(-0.01, 0.01), "no unit")
maps = {"20 ms around the peak": at_peak, "probability": (image.probability, "")}
dl.figures.explore_cortex(head, maps, chosen=image.peak.region)

# %% [markdown]
# ## The warning example
#
# MNE's own small test recording: checkerboards in the right visual field, **6 epochs only**, 60 channels named `EEG 001`, `EEG 002` and so on, which say nothing; their positions are laid on the template's scalp.
#
# :::{note}
# Where this recording cannot be had, a [virtual subject](../book/glossary.md) with as few trials and the same kind of names takes its place, and the output says so.
# :::


# %% tags=["published-data"]
def few_trials():
    """Return a virtual response of six trials, with names that say nothing."""
    places = [(-0.010, -0.085, 0.002)]
    cap = dl.load_head_model("template-64")
    trials = evaluation.virtual_trials(cap, clips, places, latency=0.1, n_trials=6)
    evoked = trials.average().crop(-0.2, 0.5)
    names = {name: f"EEG {i + 1:03d}" for i, name in enumerate(evoked.ch_names)}
    return evoked.rename_channels(names)


evoked, subject = dl.recordings.load_or("mne-visual-right", few_trials)
evoked.info["bads"] = ["EEG 053"]  # known to be bad in the MNE recording
evoked.filter(None, 40.0, verbose="error")
print(f"{subject}: {len(evoked.ch_names)} channels, average of {evoked.nave}")

# %% tags=["published-data"] table={"caption": "How far to trust the image of six trials."}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    doubtful = dl.image(evoked)
for warning in caught:
    print(textwrap.fill(str(warning.message), 76))
doubtful.trust

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Few trials: all channels, and the scalp map at the first peak after 60 ms.", "name": "fig-own-eeg"}, "image": {"alt": "Left, overlaid time courses of all channels, with waves after the stimulus and others, smaller ones, before it. Right, a scalp map."}}
ready = evoked.copy().pick("eeg", exclude="bads").set_eeg_reference(verbose=False)
early = (ready.times > 0.06) & (ready.times < 0.14)
latency = ready.times[early][ready.data.std(axis=0)[early].argmax()]
fig, axes = dl.figures.plot_evoked(ready, latency, title=subject)
plt.show()

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The image of few trials, 20 ms around the first peak. What to make of it stands in the trust lines, not in the picture.", "name": "fig-own-doubt"}, "image": {"alt": "Views of the inflated cortex with a colored map and an outline of its strongest part."}}
span = (latency - 0.01, latency + 0.01)
fig, axes = doubtful.plot(*span, title=f"{subject}, {1e3 * latency:.0f} ms")
plt.show()

# %% [markdown]
# Where in time are the strongest scalp maps? One that is as strong before the stimulus as after it is no response, however well a patch explains it:

# %% tags=["published-data"]
own = dl.load_head_model("template", channels=evoked.info)
brought = dl.recordings.prepare(evoked, own.info, 500.0, interpolate=False)
seen = dl.load_model("lite").on(own).explain(brought.data.T)
before = brought.times < 0
for k in range(3):
    quiet, later = seen.courses[k][before].std(), seen.courses[k][~before].std()
    x, y, z = 1e3 * own.cortex.centroids[seen.seeds[k]]
    print(f"map {k + 1}: {quiet:.2f} before, {later:.2f} after stimulus;", end=" ")
    print(f"{seen.fit[k]:.0%} of it by a patch at ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %% [markdown]
# With six trials, much activity of brain and eyes that has nothing to do with the stimulus is left in the average.
# So read the trust before the map, look at the time before 0, compare methods, image halves of your epochs, and average more. [Chapter 6](06_evoked.ipynb) shows how many trials it takes, and lists the signs of a wrong image.
#
# ## What is refused, and why
#
# A network gives an image for any input, however wrong.
# So the recording is checked first, and each message names the channel and the cure.
# [What can be imaged](../book/contract.md) is the whole contract, with a table of inputs on which it is tested.

# %%
montage = mne.channels.make_standard_montage("biosemi64")
info = mne.create_info(montage.ch_names, 500.0, "eeg").set_montage(montage)
rng = np.random.default_rng(0)
noise = 1e-6 * rng.standard_normal((64, 350))
clean = mne.EvokedArray(noise, info, tmin=-0.2, verbose=False)

# %% tags=["hide-input"]
names = clean.ch_names
SPOILED = {
    "in microvolts": lambda e: e.apply_function(lambda x: 1e6 * x, verbose=False),
    "dead electrode": lambda e: e.data.__setitem__(names.index("C3"), 0),
    "not a number": lambda e: e.data.__setitem__((names.index("Oz"), 10), np.nan),
    "half a cap": lambda e: e.pick(names[:32]),
    "six electrodes": lambda e: e.pick(names[:6]),
}
messages = []
for name, spoil in SPOILED.items():
    recording = clean.copy()
    spoil(recording)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            dl.image(recording)
            message = f"imaged, with a warning: {caught[0].message}"
        except ValueError as error:
            message = f"refused: {error}"
    messages.append(textwrap.fill(f"{name}: {message}", 76))
print("\n\n".join(messages))

# %% [markdown]
# ## Summary
#
# - Average, clean, in volts, about one second: then `deepsif-lite image`, or `dl.image(evoked)`. Marked spikes of a raw recording are averaged by `--condition`.
# - Any cap: electrodes are found by name or by position, and the image is made on those that recorded.
# - `image_epochs` and `image_raw` take what is not averaged; `average` averages images.
# - Read `trust` first. The result opens in MNE, EEGLAB, FreeSurfer, spreadsheets and a browser.
#
# ## Limits
#
# - The template head stands for yours. Lesions, earlier surgery and children's heads are outside it.
# - The network was trained on focal patches of cortex, up to 60 cm², and on artifacts of the kinds that we thought of. Deep nuclei and rhythms of the whole brain were not in its training.
# - A network's amplitudes have no unit; [chapters 5](05_epilepsy.ipynb) and [6](06_evoked.ipynb) give them one where it can be trusted.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-your-eeg-1
#
# Image the odd and the even spikes of the EDF file. How far apart are both images?
# :::
#
# :::{solution} ex-your-eeg-1
# :class: dropdown
#
# ```python
# with warnings.catch_warnings(action="ignore"):
#     halves = [dl.image(epochs[k::2].average(), tmin=-0.5, tmax=0.5) for k in (0, 1)]
# one, other = (half.center(10, -0.05, 0.05) for half in halves)
# print(f"{1e3 * np.linalg.norm(one - other):.0f} mm apart; trust:", end=" ")
# print(" and ".join(half.trust.verdict for half in halves))
# ```
#
# With few spikes a half holds three of them: expect a shift of about a centimeter, and more where the trust is low. That shift is the smallest uncertainty one should believe in.
# :::
#
# :::{exercise}
# :label: ex-your-eeg-2
#
# Drop electrodes one by one from the file: when does the image move?
# :::
#
# :::{solution} ex-your-eeg-2
# :class: dropdown
#
# Drop the nearest to the source first:
#
# ```python
# whole = image.center(10, -0.05, 0.05)
# bare = [name.removeprefix("EEG ").removesuffix("-REF") for name in average.ch_names]
# places = head.sensors[[list(head.ch_names).index(name) for name in bare]]
# nearest = np.linalg.norm(places - whole, axis=1).argsort()
# for n_left in (18, 16, 12, 10, 7):
#     names = [average.ch_names[k] for k in nearest[len(bare) - n_left :]]
#     try:
#         with warnings.catch_warnings(action="ignore"):
#             fewer = dl.image(average.copy().pick(names), tmin=-0.5, tmax=0.5)
#     except dl.errors.ChannelError as error:
#         print(f"{n_left} electrodes: {error}")
#         continue
#     moved = 1e3 * np.linalg.norm(fewer.center(10, -0.05, 0.05) - whole)
#     print(f"{n_left} electrodes: {moved:.0f} mm, {fewer.trust.summary}")
# ```
#
# Without the electrodes above the source the image moves by a centimeter, and with fewer and fewer the trust falls: first the line "recording" (fewer than 16 electrodes were not in the training), then the probability and "head covered". Below eight the recording is refused. Electrodes far from the source hardly matter: drop `Cz` or `T7` alone, and nothing moves.
# :::
#
# :::{exercise}
# :label: ex-your-eeg-3
#
# Write the courses of the ten strongest regions alone as a CSV file.
# :::
#
# :::{solution} ex-your-eeg-3
# :class: dropdown
#
# Strongest by their largest magnitude:
#
# ```python
# best = np.abs(image.activity).max(axis=1).argsort()[-10:]
# courses = pd.DataFrame(image.activity[best].T, index=image.times, columns=best)
# courses.to_csv(folder / "ten.csv", index_label="time")
# ```
#
# Columns are numbers of regions, rows are times in seconds; the network's courses have no unit.
# :::
#
# ## Next
#
# The [scorecard](../book/scorecard.md).
