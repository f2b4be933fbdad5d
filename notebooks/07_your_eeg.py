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
# This chapter takes a recording from a file to a source image that other programs can open.
# It shows what is checked on the way, what is repaired with a warning, and what is refused.
#
# **Paper map.** None: the paper publishes no tool for this. The steps are those of its Methods, "Sensory and Cognitive Data Analyses" {cite:p}`sun2022deepsif`.
#
# **Library.** {py:func}`dl.image <deepsif_lite.image>`, {py:func}`dl.load_model <deepsif_lite.load_model>`, {py:func}`dl.load_head_model <deepsif_lite.load_head_model>`, and the rooms {py:mod}`recordings <deepsif_lite.recordings>` and {py:mod}`imaging <deepsif_lite.imaging>`.
#
# **You will learn**
# - which recordings can be imaged, and how to prepare them;
# - what the messages mean and what to do;
# - how to save the result, and the same in one command.
#
# **Run time.** Half a minute at profile `lite` on two cores.
#
# :::{warning}
# Research software, not a medical device.
# :::

# %% tags=["parameters"]
profile = "lite"

# %%
import tempfile
import textwrap
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import mne
import numpy as np

import deepsif_lite as dl
from deepsif_lite.evaluation import virtual_response

dl.figures.use_style()
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## What you need
#
# - **A short response**, not hours of EEG: an average around an event (spikes, stimuli), about one second long. The network was trained on 0.2 to 1 s at 500 Hz with up to five sources in it; what else is in the window changes the answer ([chapter 6](06_evoked.ipynb) shows how much).
# - **Clean data**: filtered (0.5 or 1 to 40 Hz), artifacts removed, bad channels marked. Source imaging turns artifacts into sources.
# - **Volts**, as everywhere in MNE.
# - **Channels** with 10-10 names, or with positions: any cap of 16 electrodes or more. [Chapter 3](03_training.ipynb) says what fewer cost.
#
# ## Read a file
#
# `read_evoked` opens any file that MNE reads {cite:p}`gramfort2013`: evoked responses (choose one by `condition`), epochs (averaged), raw recordings (give a window).
# Before imaging, mark what is bad and filter: the paper kept 0 to 40 Hz and left out `EEG 053`, and so do we.
# As an example we take MNE's own small test recording: checkerboards in the right visual field, **6 epochs only**, 60 channels named `EEG 001`, `EEG 002` and so on.
#
# :::{note}
# Where this recording cannot be had, a [virtual subject](../book/glossary.md) with the same kind of names takes its place, and the figures and output say so. The text describes the stored run, with the MNE recording.
# :::


# %% tags=["published-data"]
def virtual_subject():
    """Return a response to the right visual field, with names that say nothing."""
    head = dl.load_head_model("template-64")
    evoked = virtual_response(head, (-0.010, -0.085, 0.002), latency=0.1)
    names = {name: f"EEG {i + 1:03d}" for i, name in enumerate(evoked.ch_names)}
    return evoked.rename_channels(names)


evoked, subject = dl.recordings.load_or("mne-visual-right", virtual_subject)
evoked.comment = "right visual field"
evoked.save(folder / "visual-ave.fif", verbose="error")
evoked = dl.recordings.read_evoked(folder / "visual-ave.fif")
evoked.info["bads"] = ["EEG 053"]  # known to be bad in this recording
evoked.filter(None, 40.0)
print(f"{subject}: {len(evoked.ch_names)} channels, {evoked.info['sfreq']:.0f} Hz")
print(evoked.ch_names[:3], "...")

# %% [markdown]
# ## Image it
#
# One call. The template head is put under the electrodes that recorded, and the image is made on them: nothing is interpolated, and bad channels leave the leadfield as they have left the data.
# **Names** tell where electrodes are: case, the prefix and the ending that all names share (`EEG Fp1-REF`, `Fp1-A1A2`) and the old names T3, T4, T5, T6 do not matter; BioSemi's A1 to B32 are known.
# The names of the example say nothing, but its channels have **positions**. They are laid on the template: by nasion and ears where they are known, else by names that both share, else about the sphere that fits each.
# Warnings come where no region has a high probability, or where channels do not follow from each other as sources in a head make them.

# %% tags=["published-data"]
model = dl.load_model("lite")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    image = model.apply(evoked)
for warning in caught:
    print(textwrap.fill(str(warning.message), 76))
print(f"{image.activity.shape[0]} regions, {image.activity.shape[1]} samples")

# %% tags=["published-data"] mystnb={"figure": {"caption": "Left: the recording after preparation, on its own electrodes. Right: the scalp map at the first peak of the global field power after 60 ms.", "name": "fig-own-eeg"}, "image": {"alt": "Left, overlaid time courses of all channels. Right, a scalp map."}}
cap = dl.load_head_model("template", channels=evoked.info)
ready = dl.recordings.prepare(evoked, cap.info, 500.0, interpolate=False)
print(cap)
early = (ready.times > 0.06) & (ready.times < 0.14)
latency = ready.times[early][ready.data.std(axis=0)[early].argmax()]
fig, axes = dl.figures.plot_evoked(ready, latency, title=subject)
plt.show()

# %% [markdown]
# ## Look at the image
#
# A `SourceImage` holds the activity of every region over time.
# `plot` shows the 20 ms around its peak unless told otherwise, with the [extent](../book/glossary.md) by [Otsu's threshold](../book/glossary.md) outlined {cite:p}`otsu1979`.
# The network's output has **no unit**: input and output are divided by their largest value.

# %% tags=["published-data"] mystnb={"figure": {"caption": "The source image at the first peak. The stored run is an average of only six epochs; the text below says what to make of it.", "name": "fig-own-image"}, "image": {"alt": "Four views of the inflated cortex with a colored map and an outline around its strongest part."}}
fig, axes = image.plot(
    latency - 0.01, latency + 0.01, title=f"{subject}, {1e3 * latency:.0f} ms"
)
plt.show()

# %% tags=["published-data"]
table = image.to_table(latency - 0.01, latency + 0.01, of="map")
table.head(5).round(2).set_index("region").T

# %% [markdown]
# How sure is it?
# `probability` says how likely each region was active at any time of the recording.
# It was learned from simulated recordings ([chapter 4](04_evaluation.ipynb) shows where it is [calibrated](../book/glossary.md)); yours may differ from them in other ways.

# %% tags=["published-data"] mystnb={"figure": {"caption": "Probability that each region was active at any time of the recording.", "name": "fig-own-probability"}, "image": {"alt": "Four views of the inflated cortex, colored by probability from 0 to 1."}}
fig, axes = dl.figures.plot_cortex(
    image.probability, image.cortex, vmin=0, vmax=1, label="probability"
)
plt.show()

# %% [markdown]
# And how far can the image be trusted as a whole? Its verdict is the worst of several checks; [What can be imaged](../book/contract.md) says how often each verdict is right in simulations.

# %% tags=["published-data"]
print(image.trust)

# %% [markdown]
# Other methods take the same recording, and a time without signal (`baseline`) to estimate the noise:

# %% tags=["published-data"]
other = dl.image(evoked, "sloreta", baseline=(None, 0))
for method, result in (("DeepSIF", image), ("sLORETA", other)):
    x, y, z = 1e3 * result.center(10, latency - 0.01, latency + 0.01)
    print(f"{method}: ten strongest regions around ({x:.0f}, {y:.0f}, {z:.0f}) mm")

# %% [markdown]
# Where methods disagree, look at the input of the network: the strongest scalp maps, whitened ([chapter 3](03_training.ipynb)), each with its time course.
# Which patch of cortex explains each of them best, and how much of it?

# %% tags=["published-data"] mystnb={"figure": {"caption": "The three strongest scalp maps in the network's input, and their time courses; the dashed line marks the stimulus.", "name": "fig-own-modes"}, "image": {"alt": "Three scalp maps above their time courses."}}
seen = model.on(cap).explain(ready.data.T)
before = ready.times < 0
fig, axes = plt.subplots(
    2, 3, figsize=(6.7, 3.2), height_ratios=(1.6, 1), sharey="row", layout="constrained"
)
for k, (top, bottom) in enumerate(axes.T):
    dl.figures.plot_topography(seen.maps[k], ready.info, ax=top, colorbar=False)
    bottom.plot(ready.times, seen.courses[k], lw=0.8)
    bottom.axvline(0, ls="--", lw=0.8, color="#444444")
    bottom.set_xlabel("time (s)")
    quiet, later = seen.courses[k][before].std(), seen.courses[k][~before].std()
    x, y, z = 1e3 * image.cortex.centroids[seen.seeds[k]]
    print(
        f"map {k + 1}: {quiet:.2f} before the stimulus, {later:.2f} after; "
        f"{seen.fit[k]:.0%} explained by a patch at ({x:.0f}, {y:.0f}, {z:.0f}) mm"
    )
axes[1, 0].set_ylabel("strength (no unit)")
plt.show()

# %% [markdown]
# With six epochs, much ongoing activity of brain and eyes that has nothing to do with the stimulus remains in the average: a map that is as strong before the stimulus as after it is no response, however well a patch explains it.
# The network has met eyes and muscles in its training, so it gives the frontal poles a low probability here; one that was trained on clean recordings alone gave them the highest of all.
# It also is no longer sure of anything else: a low probability throughout means that the recording does not decide. Look at the time course before time 0, compare methods, and average more epochs. [Chapter 6](06_evoked.ipynb) images an average of 56.

# %% [markdown]
# ## Save it
#
# `write_image` writes a source estimate on fsaverage5 (open it with `mne.read_source_estimate`, or in FreeSurfer's tools), the table of regions, the figure, and an HTML report.

# %% tags=["published-data"]
written = dl.imaging.write_image(image, evoked, folder, "visual")
print([path.name for path in written])
stc = mne.read_source_estimate(folder / "visual")
print(f"{stc.data.shape[0]} vertices, {stc.data.shape[1]} samples")

# %% [markdown]
# The same from a shell:
#
# ```bash
# deepsif-lite image visual-ave.fif --out results
# deepsif-lite image recording.edf --tmin 12.0 --tmax 13.0 --method sloreta
# deepsif-lite --help
# ```
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
clean = mne.EvokedArray(
    1e-6 * rng.standard_normal((64, 350)), info, tmin=-0.2, verbose=False
)


def microvolts(evoked):
    evoked.data *= 1e6


def dead_electrode(evoked):
    evoked.data[evoked.ch_names.index("C3")] = 0


def not_a_number(evoked):
    evoked.data[evoked.ch_names.index("Oz"), 10] = np.nan


def half_a_cap(evoked):
    evoked.pick(evoked.ch_names[:32])


def six_electrodes(evoked):
    evoked.pick(evoked.ch_names[:6])


for spoil in (microvolts, dead_electrode, not_a_number, half_a_cap, six_electrodes):
    recording = clean.copy()
    spoil(recording)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.apply(recording)
            message = f"imaged, with a warning: {caught[0].message}"
        except ValueError as error:
            message = f"refused: {error}"
    print(textwrap.fill(f"{spoil.__name__}: {message}", 76), end="\n\n")

# %% [markdown]
# Bad channels are left out, however many: here a quarter of them.

# %%
recording = clean.copy()
recording.info["bads"] = recording.ch_names[::4]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    result = model.apply(recording)
for warning in caught:
    print(textwrap.fill(str(warning.message), 76), end="\n\n")

# %%
doubt = result.probability
print(f"{(doubt > 0.5).sum()} regions above 50 %, the surest at {doubt.max():.0%}")

# %% [markdown]
# That recording is pure noise, which the other warnings notice: its channels do not follow from each other as sources in a head make them, and no region has a high probability.
# But a map is drawn in any case, scaled to its own maximum.
# So look at the probability before the map and at the scalp maps before both, compare methods, and image halves of your epochs separately: do not rely on what does not repeat.
#
# ## Summary
#
# - Average, clean, in volts, about one second: then `dl.image(evoked)`.
# - Any cap: electrodes are found by name or by position, and the image is made on those that recorded.
# - The result is a `SourceImage`: regions, times, extent, source estimate, table, plot.
#
# ## Limits
#
# - The template head stands for yours. Lesions, earlier surgery and children's heads are outside it.
# - The network was trained on focal patches of cortex, up to 60 cm², and on artifacts of the kinds that we thought of. Deep nuclei and rhythms of the whole brain were not in its training.
# - Amplitudes have no unit.
#
# ## Exercises
#
# 1. Image one of your own recordings with two methods. Where do they agree?
# 2. Split the epochs of a recording in two halves and image both.
# 3. Drop electrodes one by one from `clean` plus the field of a dipole: when does the image move?
#
# ## Next
#
# The [scorecard](../book/scorecard.md).
