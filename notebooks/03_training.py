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
# # Train a network on brains that never existed
#
# No one has ever measured where all the sources of an EEG are, so there is nothing real to learn from.
# A network can still learn the inverse problem, from scalp to cortex, on simulations, where the sources are known.
# This chapter describes two networks, the paper's and a small one for laptops, and trains the small one.
#
# **Paper map.** PNAS Fig. 2 (the network); Methods, "Simulating Synthetic Dataset" and "Training the DNN" {cite:p}`sun2022deepsif`.
#
# **Library.** {py:class}`dl.SyntheticEEG <deepsif_lite.SyntheticEEG>`, {py:func}`dl.train <deepsif_lite.train>`, {py:func}`dl.load_model <deepsif_lite.load_model>`, and the rooms {py:mod}`synthesis <deepsif_lite.synthesis>`, {py:mod}`network <deepsif_lite.network>` and {py:mod}`training <deepsif_lite.training>`.
#
# **Needs.** [Chapter 2b](02b_inverse.ipynb), singular vectors, and how a network is trained. A graphics card makes the live training quicker; nothing needs one.
#
# **You will learn**
# - what a training sample looks like, and what the loss asks for;
# - how the paper's network and ours get from 75 electrodes to 994 regions;
# - why a singular value decomposition of the EEG into a few scalp maps makes training so much cheaper;
# - how to train a network for your own montage.
#
# **Run time.** About two minutes at profile `lite` on two cores, half of it live training.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %% tags=["hide-input"]
import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.fft import dct

import deepsif_lite as dl
from deepsif_lite.evaluation import METRICS, per_sample
from deepsif_lite.network import (
    STANDS_OUT,
    available_weights,
    band_spectrum,
    build_network,
    load_card,
    load_log,
)

dl.figures.use_style()

# %%
settings = dl.get_profile(profile)
head = dl.load_head_model("template-75")
cortex = head.cortex
train_clips = dl.load_spike_library("lite", split="train")
test_clips = dl.load_spike_library("lite", split="test")
print(f"{len(train_clips)} clips to train on, {len(test_clips)} others to test on")

# %% [markdown]
# ## What the network is shown
#
# A sample is one second: EEG in, activity of all regions out.
# `SyntheticEEG` makes sample number $i$ from the seed and $i$ alone, whenever it is asked for; nothing is stored.
# It draws one to three seed regions, grows a patch around each, gives every patch the time course of a simulated clip, and adds the clips' background and noise at the electrodes.
# As in the paper, each source is scaled to a random 10 to 20 dB above the background, and the white noise at the electrodes to a signal-to-noise ratio of 5, 10, 15 or 20 dB.
#
# Recordings differ in more than the paper's samples do, and a network takes what it never met for a source.
# So the samples that trained the shipped network, of {py:class}`VariedEEG <deepsif_lite.synthesis.VariedEEG>`, differ in these things as well:
#
# - **Caps.** Each batch has a cap of its own: common ones, subsets of the 10-10 system, electrodes spread evenly over the head, 16 to 128 of them, some with up to a quarter of their electrodes lost.
# - **Heads.** The network is told the leadfield of the template, at the nominal electrodes. The recording comes from one of twelve other heads (other shapes, skulls of 3 to 7 mm, of other conductivity) or from the template, with electrodes displaced by up to a centimeter.
# - **Sources** of any size, from a single region to 60 cm$^2$, none to five of them, some with the same time course.
# - **Time courses** that are no spikes: transients of 20 to 500 ms, damped oscillations, rhythms. Windows of 0.2 to 1 s.
# - **What is not cortex**: eyes, muscles of temple, jaw, forehead and neck (dipoles in the scalp, their fields by boundary elements as those of the cortex), single electrodes that drift, pop or are noisy, skin potentials, heart, mains; -20 to 10 dB against the rest.
#
# One sample in seven has no source at all, so that the network learns to find nothing.
#
# Both sides are scaled: the EEG loses its mean over time and over channels and is divided by its largest magnitude; the activity is divided by its largest magnitude.
# So the network learns *where* and *when*, never how many nanoampere meters.

# %%
stream = dl.SyntheticEEG(head, test_clips, n_sources=2, seed=seed)
sample = stream[26]
times = np.arange(len(sample.eeg)) / test_clips.sfreq
print(f"EEG {sample.eeg.shape}, activity {sample.activity.shape}")
print(f"patches of {[len(p) for p in sample.patches]} regions, {sample.snr_db:.0f} dB")

# %% mystnb={"figure": {"name": "fig-training-sample", "caption": "One training sample: the EEG that goes in (left) and the activity that should come out (right), one line a region."}, "image": {"alt": "Left: 75 overlaid EEG traces with spikes. Right: source activity, zero for most regions, with one spike time course for each of the two patches."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.2), layout="constrained")
_ = dl.figures.plot_butterfly(sample.eeg, times, ax=left, ylabel="EEG (no unit)")
_ = dl.figures.plot_butterfly(
    sample.activity, times, ax=right, ylabel="activity (no unit)"
)

# %% [markdown]
# ## The paper's network
#
# Every time point passes the *spatial module*, two residual blocks {cite:p}`he2016`, on its own: with $x \in \mathbb{R}^{75}$ and ELU as $\varphi$,
#
# $$
# \begin{aligned}
# h_1 &= \varphi\big(W_{12}\,\varphi(W_{11} x + x)\big) &&\in \mathbb{R}^{75},\\
# h_2 &= \varphi\big(W_{22}\,\varphi(W_{21} h_1) + W_{23} h_1\big) &&\in \mathbb{R}^{500},\\
# h_3 &= \varphi(W_3 h_2) &&\in \mathbb{R}^{500}
# \end{aligned}
# $$
#
# (biases left out).
# The *temporal module*, three LSTM layers of 994 units, then runs over the 500 time points; the last layer's state at time $t$ is the activity of the 994 regions at time $t$.
#
# ## Ours, for a laptop
#
# One pass of the paper's network costs 22 billion operations for a second of EEG, nearly all in the LSTM.
# Ours starts from a well-known property of EEG: a second of it is nearly the sum of a few scalp maps, each with one time course.
# These are its singular vectors ([SVD](../book/glossary.md)),
#
# $$
# \mathbf{\phi}(t) \approx \sum_{m=1}^{8} \sigma_m\, v_m(t)\, \mathbf{u}_m .
# $$
#
# Because a source keeps its place while it is active, the network only has to find how much of each time course $v_m$ belongs to each region, the *loadings*: 8 numbers a region instead of 500 time points.
# Before the decomposition, noise is reduced in space and in time:
#
# - The EEG is *[whitened](../book/glossary.md)*, that is multiplied by $\mathbf{\Sigma}^{-1/2}$. The noise covariance is that of equal, independent activity of all regions and of sensor noise, $\mathbf{\Sigma} = \mathbf{K}\mathbf{K}^\top + \eta\,\mathbf{I}$, with $\mathbf{K}$ scaled such that the background has a mean power of 1 at an electrode. The noise-to-background ratio $\eta$ (1 in the shipped networks) regularizes the whitening.
# - Maps are taken from the *signal band* only: those frequencies of a cosine transform over time whose power is more than twice the noise, which is estimated from the upper half of all frequencies.
# - Time courses are taken from all frequencies. A map averages over many electrodes, so its course has signal where single electrodes have none above the noise. Each course has its own [Wiener filter](../book/glossary.md) {cite:p}`wiener1949`.
#
# Five branches then process the maps, and their outputs are added up.
#
# - **Transformer.** Each map, with its strength, is one token (item) of a small [transformer](../book/glossary.md) {cite:p}`vaswani2017`. Sources that share a map are separated by means of the other maps. It sees the maps of any cap as 75 electrodes would show them: a ridge regression between the two leadfields translates them.
# - **Region scan.** How much of the whitened unit scalp map $\mathbf{k}_r$ of a small round patch at region $r$ lies in the span of the first $n$ maps, $\sum_{m \le n} (\mathbf{u}_m^\top \mathbf{k}_r)^2$? This is the scan of [MUSIC](../book/glossary.md) {cite:p}`mosher1992`.
# - **Dictionary scan.** The same for a [dictionary](../book/glossary.md) of 40 patches grown from every region: the region alone, everything within one, two and three steps of it, and others of all sizes between, grown by the rules that grow the sources of the training data. Each patch gets a weight that rises with its fit; a region receives the share of the weight around it that falls on patches which contain it.
# - **Search.** No dictionary contains the very patch. From its best entries, regions at the border are added or removed until the fit improves no more; each region then receives by how much the fit would worsen if it changed sides.
# - **Placing together.** Sources with one time course share a single scalp map, and then no single patch explains it. So two patches, and then three, are placed such that they explain the most of the EEG together, each in turn where it explains the most of what the others leave (alternating projections).
#
# The last four are computed from leadfield and cortex, in a fraction of a second for a new cap; only how many maps they count is learned.
# A *scoring perceptron*, with the same weights for all regions and a learned offset for each, combines their results.
# It includes two steps of [message passing](../book/glossary.md), in which each region receives the mean features of its neighbors on the cortex, because activity comes in patches and a hole in one is unlikely.
# Its second output, the *gate*, is the probability that a region is active; the loadings are multiplied by it.
# The gate is a product of two probabilities: $p$, that the recording has a source at all, from the largest features over regions; and $q_r$, that region $r$ is active if there is one.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-networks", "caption": "The two networks. Gray: data, with sizes for 75 channels and 994 regions; color: what is learned. Compare PNAS Fig. 2; its two residual blocks have skip connections (75 to 75, 75 to 500)."}, "image": {"alt": "Two rows of boxes. Paper: EEG, two residual blocks, a layer, three LSTM layers, activity. Lite: EEG, 8 maps, scans, transformer and scoring perceptron, loadings and gates, activity."}}
fig, ax = dl.figures.plot_stages(
    {
        "paper": [
            ("EEG\n500 × 75", "data"),
            ("residual\nblocks\n75 → 500", "layer"),
            ("dense\n500 → 500", "layer"),
            ("3 × LSTM\n500 → 994", "layer"),
            ("activity\n500 × 994", "data"),
        ],
        "lite": [
            ("EEG\n500 × 75", "data"),
            ("8 maps,\n8 courses", "data"),
            ("scans: regions,\npatches, search,\ntogether", "data"),
            ("transformer,\nscoring\nperceptron,\nneighbors", "layer"),
            ("loadings\n8 × 994\n× gates", "layer"),
            ("activity\n500 × 994", "data"),
        ],
    }
)

# %% tags=["hide-input"]
shape = (len(head.ch_names), cortex.n_regions)
sizes = {
    kind: sum(p.numel() for p in build_network(kind, *shape).parameters())
    for kind in ("paper", "lite")
}
print({kind: f"{size:,}" for kind, size in sizes.items()})

# %% [markdown]
# ## Stage by stage, on one sample
#
# The shipped network, on the sample above.
# First the frequencies: sources and background have their power below some 20 Hz, sensor noise has it at all frequencies.

# %%
model = dl.load_model("lite-75")
net = model.network
eeg = torch.as_tensor(sample.eeg)[None]
white = net.whiten(eeg)
every_frequency = dct(white[0].numpy(), axis=0, norm="ortho")
power = (every_frequency**2).mean(axis=1)
frequencies = np.arange(len(power)) * test_clips.sfreq / 2 / len(power)
band, _ = band_spectrum(white, n_least=2 * net.n_modes)
kept = frequencies[: band.shape[1]][band[0].any(dim=1).numpy()]
print(f"{len(kept)} of {len(power)} cosines are kept, up to {kept.max():.1f} Hz")

# %% [markdown]
# What is the effect, without any network? The table gives the part of a true source's scalp map that lies outside the leading maps of the EEG (as many maps as there are sources).

# %%
rows = []
for count in (1, 2, 3):
    recordings = dl.SyntheticEEG(head, test_clips, n_sources=count, seed=seed)
    batch = recordings.batch(range(60))
    whitened = net.whiten(batch.eeg)
    sources = net.scalp_maps(batch.weights)
    spans = {
        "all frequencies": torch.linalg.svd(whitened, full_matrices=False)[2],
        "signal band": net.modes(batch.eeg)[0],
    }
    for name, span in spans.items():
        outside = 1 - (sources @ span[:, :count].mT).square().sum(-1)
        rows.append(
            {"sources": count, "maps of": name, "outside": float(outside.mean())}
        )
outside = pd.DataFrame(rows).pivot(index="sources", columns="maps of", values="outside")
outside.round(3)

# %% mystnb={"figure": {"name": "fig-training-band", "caption": "Power of the whitened sample in each frequency, mean over channels; shaded: what is kept. Dashed: twice the noise."}, "image": {"alt": "Power falls from low frequencies to a flat floor; the low frequencies above the dashed line are shaded."}}
fig, ax = plt.subplots(figsize=(5.2, 2.2), layout="constrained")
ax.semilogy(frequencies[1:], power[1:], lw=0.9)  # EEG has lost its mean
floor = power[len(power) // 2 :].mean()
ax.axhline(STANDS_OUT * floor, ls="--", lw=0.9, color="0.3")
ax.axvspan(kept.min(), kept.max(), alpha=0.15)
_ = ax.set(xlabel="frequency (Hz)", ylabel="power (no unit)", xlim=(0, 125))

# %% [markdown]
# For time courses the band is too narrow: at 5 dB a spike still has power above its upper end.
# The table gives the correlation of the course of the strongest map with the true one, for single sources:


# %%
def strongest_course(batch):
    """The strongest map's time course, in three ways."""
    whitened = net.whiten(batch.eeg)
    strongest, _, cleaned = net.modes(batch.eeg)
    band, cosines = band_spectrum(whitened, n_least=2 * net.n_modes)
    return {
        "all frequencies": whitened @ strongest[:, 0, :, None],
        "signal band": cosines @ band @ strongest[:, 0, :, None],
        "Wiener filter": cleaned[:, 0, :, None],
    }


# %%
rows = []
for snr in (5.0, 10.0, 15.0, 20.0):
    recordings = dl.SyntheticEEG(
        head, test_clips, n_sources=1, seed=seed, sensor_snr=(snr,)
    )
    batch = recordings.batch(range(40))
    candidates = strongest_course(batch)
    truth = batch.waveforms[:, 0] - batch.waveforms[:, 0].mean(-1, keepdim=True)
    for name, course in candidates.items():
        agreement = torch.cosine_similarity(course[..., 0], truth).abs().mean()
        rows.append({"dB": snr, "course from": name, "correlation": float(agreement)})
heard = pd.DataFrame(rows).pivot(
    index="dB", columns="course from", values="correlation"
)[list(candidates)]
heard.round(3)

# %% [markdown]
# Then the maps: two sources, so the first two or three carry the spikes, and the rest carry background and noise.

# %%
with torch.no_grad():
    maps, strengths, courses = net.modes(eeg)
    activity, probability = (out[0].numpy() for out in net.image(eeg))
print("strengths:", np.round(strengths[0].numpy(), 3))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-modes", "caption": "The first four scalp maps of the whitened sample and their time courses, each scaled to unit size."}, "image": {"alt": "Four scalp maps above their time courses; the first two courses show clear spikes, the others noise and background."}}
fig, axes = plt.subplots(
    2, 4, figsize=(7.5, 2.8), height_ratios=[1.5, 1], layout="constrained", sharey="row"
)
for m, (top, bottom) in enumerate(axes.T):
    _ = dl.figures.plot_topography(
        maps[0, m].numpy(), head.info, ax=top, colorbar=False
    )
    bottom.plot(times, courses[0, m], lw=0.8)
    _ = bottom.set(xlabel="time (s)")
_ = axes[1, 0].set_ylabel("course")

# %% [markdown]
# The dictionary scan gives how much of a patch's scalp map lies in the span of the first maps (1: all of it).
# It is high around the true patches, but also where other patches have a similar scalp map.
# The search starts from the best patches that lie apart, and improves them (the misfit is one minus the fit).
# The gate combines the results with learned weights.

# %%
n_maps = 3  # of the scan and the search below
best = net.best_fit(maps[:, :n_maps])[0].numpy()
search = net.search(maps[:, :n_maps], n_patches=n_maps)
found = search.found
for start, before, after in zip(
    search.starts[0], search.start_misfit[0], found.misfit[0], strict=True
):
    print(f"{int(start.sum())} regions: misfit {before:.3f} -> {after:.3f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-training-stages", "caption": "From scan to search to gate to activity. Scan: best fit of the patches grown from each region into the span of the first three maps. Search: the patches it ends at, shaded by how well they fit. Gate: the network's probability that a region is active. Bottom: largest magnitude of the resulting activity. Outlines: the true patches."}, "image": {"alt": "Four rows of cortex maps with the two true patches outlined: a broad scan, a few patches found by the search, a sharp probability map and the activity."}}
searched = (found.members * (1 - found.misfit)[..., None])[0].amax(0).numpy()
outlines = {f"source {k}": p for k, p in enumerate(sample.patches, 1)}
fig, axes = dl.figures.plot_methods(
    {
        "scan": best,
        "search": searched,
        "gate": probability,
        "activity": np.abs(activity).max(axis=0),
    },
    cortex,
    outlines=outlines,
)

# %% [markdown]
# ## The loss
#
# The paper minimizes the squared error between the network's activity and the true one, summed over all times and regions.
# So do we. Both activities are a few time courses times as many maps of the cortex, so the sum follows from products of courses with courses, and the (time, region) arrays are never formed.
# To it we add the cross-entropy (CE) of the two probabilities, $p$ and $q_r$.
# With $\hat{\mathbf{j}}$ the estimated and $\mathbf{j}$ the true activity, $z$ and $z_r$ equal to 1 where there is a source and where region $r$ is active and to 0 elsewhere, and all sums over the recordings of a batch,
#
# $$
# \begin{aligned}
# \mathcal{L} &= \mathcal{L}_\text{error} + 0.3\, \mathcal{L}_\text{gate}\\
# \mathcal{L}_\text{error} &= \sum \lVert \hat{\mathbf{j}} - \mathbf{j} \rVert^2 \Big/ \sum \lVert \mathbf{j} \rVert^2\\
# \mathcal{L}_\text{gate} &= \sum \Big( \text{CE}(p, z) + z \sum_r \text{CE}(q_r, z_r) \Big) \Big/ \sum \sum_r z_r .
# \end{aligned}
# $$
#
# A recording without a source trains $p$ alone, so it does not bias what the network learns about extent.
#
# ## Watch it learn
#
# A fresh network, a minute on two processor cores.
# `train` uses AdamW, a variant of Adam {cite:p}`kingma2015`. It writes a checkpoint every two minutes and goes on from it when called again; on a CPU a run that was interrupted gives the same weights, to the last bit, as one that was not.

# %% tags=["nbval-ignore-output", "remove-stderr", "small-in-tests"]
config = dl.TrainingConfig(
    n_steps=settings.live_training_steps, batch_size=settings.batch_size, seed=seed
)
began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    out = dl.train(head, train_clips, folder, config=config, progress=False)
    live = dl.load_model(out)
    live_log = pd.DataFrame(load_log(out))
seconds = time.perf_counter() - began
device = live.card["training"]["device"]
print(f"{live_log.samples.iloc[-1]:,.0f} samples in {seconds:.0f} s on {device}")

# %% [markdown]
# The live run is for one cap, on samples as the paper's. The shipped network was trained for any cap, on the varied samples above, by one command of about an hour, `deepsif-lite train --out run`.
# Its log is shipped with its weights.

# %% mystnb={"figure": {"name": "fig-training-loss", "caption": "Loss on samples the network never sees again, and on a fixed set it never trains on: the live run (left) and the runs behind the shipped networks (right). The sets of the three runs differ: those of `lite` hold up to five sources."}, "image": {"alt": "Left: falling loss of the short live run. Right: falling validation loss of the shipped networks over hundreds of thousands of samples."}} tags=["hide-input", "nbval-ignore-output"]
fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.6), layout="constrained")
names = {"training_loss": "training", "validation_loss": "validation"}
_ = dl.figures.plot_loss(live_log, columns=names, ax=left, title="this run")
for shipped in available_weights():
    log = pd.DataFrame(load_log(shipped))
    _ = dl.figures.plot_loss(
        log, columns={"validation_loss": shipped}, ax=right, title="shipped"
    )
for ax in (left, right):
    _ = ax.set_ylabel("loss")

# %% [markdown]
# ## What a minute buys
#
# The same recordings, imaged by the network of this run and by the shipped one.


# %% tags=["nbval-ignore-output"]
def mean_scores(model, clips):
    """Mean of each metric over recordings with one, two and three sources."""
    scores = dl.evaluate(
        model,
        clips,
        methods=("deepsif",),
        n_samples=min(settings.n_test_samples, 40),
        seed=seed,
        progress=False,
    )
    means = per_sample(scores)[list(METRICS)].mean()
    return means.rename(METRICS)


# %% tags=["nbval-ignore-output"]
rows = {}
for name, candidate in (("this run", live), ("shipped", model)):
    rows[name] = {
        "samples seen": candidate.card["training"]["samples"],
        "training time (min)": candidate.card["training"]["seconds"] / 60,
        **mean_scores(candidate, test_clips),
    }
paper = dl.results.paper_values().value
rows["the paper"] = {
    "samples seen": paper["size/training_samples"],
    "precision": paper["sim/precision/all"],
    "recall": paper["sim/recall/all"],
    "localization error (mm)": paper["sim/le/all"],
}
bought = pd.DataFrame(rows).T
_ = dl.results.write_table(
    "03_training", bought.rename_axis("network"), profile, seed=seed, seconds=seconds
)
bought.round(2)

# %% [markdown]
# The paper's row counts distinct samples; its network saw each of them up to twenty times, on one V100 GPU.
# Chapter 4 scores the shipped network on more recordings, set by set.

# %% mystnb={"figure": {"name": "fig-training-before-after", "caption": "The sample of {numref}`fig-training-sample`, imaged by the network of the live run and by the shipped one."}, "image": {"alt": "Three rows of cortex maps: the two true patches, a blurred image by the briefly trained network, and a sharp one by the shipped network."}} tags=["hide-input", "nbval-ignore-output"]
strength = {
    name: np.abs(candidate.predict(sample.eeg)).max(axis=0)
    for name, candidate in (("this run", live), ("shipped", model))
}
fig, axes = dl.figures.plot_methods(
    {"truth": np.abs(sample.activity).max(axis=0), **strength},
    cortex,
    outlines=outlines,
)

# %% [markdown]
# ## What each idea bought
#
# The networks before the shipped one served a single cap. They were found by trial, and these are some of the trials: loss on the same 256 validation samples against samples seen, recorded while the first network was designed (two busy cores, one run each, stopped early).
# The results in this section and the next were not computed on this page: they are stored in `data/experiments`.
# Whitening and a dictionary made the network learn many times faster; the search did so once more, and so did the signal band and message passing.
# (The final network of that design is not among them: its loss counts all of the error, theirs left out the part that no loading can change.)

# %% mystnb={"figure": {"name": "fig-training-trials", "caption": "Validation loss of the designs that were tried. Round patches: three round patches a region and no whitening, the first design."}, "image": {"alt": "Falling curves of loss against samples seen; that of the last design lies lowest."}}
trials = dl.results.read_experiment("scan_network")
fig, ax = plt.subplots(figsize=(5.2, 2.8), layout="constrained")
for name, log in trials.groupby("run", sort=False):
    _ = dl.figures.plot_loss(log, columns={"validation_loss": name}, ax=ax)
_ = ax.set(ylabel="loss", xscale="log")
_ = ax.legend(loc="lower left", fontsize=7)

# %% [markdown]
# Two of these ideas, one after the other: three runs of 16,000 samples, alike in all else and scored on the same 144 recordings by Otsu's threshold (one processor core each, beside each other).

# %%
short_runs = dl.results.read_experiment("short_runs")
_ = dl.results.write_table("03_short_runs", short_runs, profile)
short_runs.set_index("design").rename(columns=METRICS).T.round(3)

# %% [markdown]
# And nine later trials of as many samples, scored on 450 recordings (150 with one, two and three sources each; regions with a probability above one half).
# A row that begins with "and" changes one thing in the row above it.
# A larger dictionary helps: the more patches, the nearer one of them comes to the true one.
# A transformer of half the width, and with it a network of a third of the size, does as well.
# Two ideas brought nothing: four steps of message passing instead of two, and another branch for the EEG that the first image leaves unexplained.
#
# Whitening divides by the spatial covariance of the background, so it amplifies differences between electrodes whose background is alike; the smaller the noise-to-background ratio ("share" in the table), the smaller the differences that count.
# In these trials such differences were right, because the head model of the image was that of the recording, so a larger ratio (last two rows) costs accuracy.

# %%
last_trials = dl.results.read_experiment("last_trials")
_ = dl.results.write_table("03_last_trials", last_trials, profile)
shown = last_trials.drop(columns=["samples", "test_recordings"]).set_index("trial")
shown.rename(columns=METRICS).round(3)

# %% [markdown]
# (a-wrong-head-and-a-source-free-recording)=
# ### A wrong head, and a source-free recording
#
# In people those small differences are *not* right, because no head equals the template ([chapter 6](06_evoked.ipynb) shows it on a real recording).
# And a network trained only on recordings with sources may find sources in any recording.
# Four more short trainings (`benchmarks/robustness.py`), scored on recordings with one, two and three sources of the head model used in training and of heads with displaced electrodes (by 5 and 10 mm), computed by the boundary element method (regions with a probability above one half).
# Last column: of as many *source-free* recordings ("empty" in the table), the share in which some region had a probability above one half.

# %%
robustness = dl.results.read_experiment("robustness")
_ = dl.results.write_table("03_robustness", robustness, profile)
print(
    f"{robustness.samples[0]:,} training samples each, "
    f"{robustness.recordings_in_each_set[0]} recordings in each test set"
)
shown = robustness.set_index(["trial", "head"])
shown = shown[["precision", "recall", "error_mm", "false_alarms"]]
shown.rename(columns={**METRICS, "false_alarms": "false alarms"}).round(2)

# %% [markdown]
# Electrodes displaced in training cost next to nothing on the known head, and improve the others a little.
# Source-free recordings cost nothing on the first two heads; with electrodes 10 mm off, precision rises and recall falls.
# A noise-to-background ratio of 0.2, the better one in the trials above, is the worse one where electrodes are displaced; so the networks whiten with 1.
# (One run each, on 100 recordings a set: small differences are not significant.)
#
# The first three find a source in nearly every source-free recording. (They were trained on none, and before the network had the output $p$.)
# The last one was trained on source-free recordings, as the shipped networks were: one in seven, background activity under noise of any strength, down to noise alone.
# [Chapter 4](04_evaluation.ipynb) counts the false alarms of the shipped network, and what avoiding them costs elsewhere.
#
# `lite-published-75` continued for a few minutes on the authors' head from such a network.
#
# ### Trained to the end
#
# The designs that were trained to the end, scored on fresh recordings with one to three sources (means over 11,928 of them, over 900 for the first; regions selected by Otsu's threshold, a missed source has recall 0; `NaN`: not measured).
# Weighting electrodes by their power was *not* adopted, although its scores are better than those of the design it changes.
# In the training data an electrode's noise is proportional to its power, so a network can weight each electrode by its power in the recording; that helps a little on recordings of the same kind.
# But where noise follows another rule, it weights the wrong electrodes.
# The last row shows it, with recordings made as the published code makes them, where an electrode's constant offset counts as signal (`deepsif-lite evaluate --synthesis published`; 300 recordings, regions with a probability above one half).
# The rule of the noise in the next patient is unknown, so the shipped networks weight electrodes alike.
# Leaving out the frequencies of mere noise raised recall more, and assumes no such rule.
# The last three designs lose some localization accuracy in return for robustness to other heads; the last one regains a part of it by estimating $p$ separately.
# All of them were trained on sources of 10 cm$^2$ and more, on clean recordings; the table of the network for any cap is [below](#what-electrodes-cost).

# %%
designs = dl.results.read_experiment("designs")
_ = dl.results.write_table("03_designs", designs, profile)
shown = designs.set_index("design").drop(columns="test_recordings")
shown["samples"] /= 1000
shown = shown.rename(columns={**METRICS, "samples": "thousand samples"})
shown.rename(columns={"other_noise_error_mm": "error with other noise (mm)"}).T.round(3)

# %% [markdown]
# ## What limits it
#
# Hardly the number of samples: after a third of them precision, recall and localization error change little.
# The figure shows the logs of two shipped networks, scored with the paper's metrics on samples set aside, made as those of their training (for `lite`, electrodes are displaced; chapter 4 scores networks on far more).
#
# `paper-75` is the paper's own network, with the hidden sizes rounded up to multiples of 128 and the paper's samples: one to three sources under the electrodes of the head model.
# It was trained on the same graphics card, but for a small part of the paper's samples, so its scores say what the design reaches soon, not what it reaches in the end.

# %%
networks = {name: load_card(name) for name in ("lite", "paper-75")}
runs = pd.DataFrame({name: card["training"] for name, card in networks.items()})
runs = runs.loc[["samples", "seconds", "batch_size", "device", "arithmetic"]]
runs.loc["samples a second"] = (runs.loc["samples"] / runs.loc["seconds"]).astype(int)
runs.loc["passes through the paper's samples"] = [
    f"{samples / paper['size/training_samples']:.2f} of 20"
    for samples in runs.loc["samples"]
]
runs

# %% mystnb={"figure": {"name": "fig-training-scaling", "caption": "Precision, recall (a missed source counts 0) and localization error on validation samples of 75 electrodes during training (regions by Otsu's threshold), against samples (top) and minutes on one graphics card (bottom). Dashed: the paper's network on its test data."}, "image": {"alt": "Six panels over samples and minutes, two lines each: the scores of lite hardly change after the first third, those of the paper's network rise to the end."}}
keys = {"precision": "sim/precision/all", "recall": "sim/recall/all"}
keys["error_mm"] = "sim/le/all"
labels = {name: METRICS[name] for name in keys}
logs = {name: pd.DataFrame(load_log(name)) for name in networks}
goals = {name: paper[key] for name, key in keys.items()}
_ = dl.figures.plot_learning(logs, labels, goals)

# %% [markdown]
# Both networks on the same fresh recordings of the head model (means; a missed source has recall 0; regions by Otsu's threshold):

# %%
rows = {
    (name, sources): card["scores"]["corrected"][sources]
    for name, card in networks.items()
    for sources in card["scores"]["corrected"]
}
compared = pd.DataFrame(rows).T[["precision", "recall", "correlation", "error_mm"]]
table = compared.rename_axis(["network", "recordings"]).reset_index()
_ = dl.results.write_table("03_networks", table, profile)
compared.rename(columns=METRICS).round(3)

# %% [markdown]
# Are there enough clips?
# If not, the network would do better on recordings made of clips it has trained on than on recordings made of others.

# %%
by_clips = pd.DataFrame(
    {
        "clips of the training": mean_scores(model, train_clips),
        "other clips": mean_scores(model, test_clips),
    }
).T
_ = dl.results.write_table(
    "03_clips", by_clips.rename_axis("recordings of"), profile, seed=seed, seconds=0
)
by_clips.round(2)

# %% [markdown]
# How few clips would do, and would a larger network do better?
# `benchmarks/scaling.py` trains networks for as many samples each, on ever fewer clips and of ever more parameters, and scores them on the same recordings of the test clips (the stored table is of "dictionary and search", of width 256; it was not measured again with the shipped design):

# %%
scaling = dl.results.read_experiment("scaling")
print(f"{scaling.samples.iloc[0]:,} samples each")
_ = dl.results.write_table("03_scaling", scaling, profile)
shown = scaling.set_index(["curve", "clips", "parameters"])
shown = shown.drop(columns=["samples", "seconds"])
shown.rename(columns=METRICS).round(2)

# %% mystnb={"figure": {"name": "fig-training-clips", "caption": "Precision, recall and localization error after as many samples, against the number of different clips they were made of (top) and against the number of parameters (bottom)."}, "image": {"alt": "Six small line charts: scores hardly change with the number of clips, and only the smallest network differs from the others."}}
curves = scaling.groupby("curve", sort=False)
fig, axes = plt.subplots(
    len(curves), 3, figsize=(7.5, 1.9 * len(curves)), layout="constrained"
)
for row, (curve, part) in zip(axes, curves, strict=True):
    for ax, (column, label) in zip(row, labels.items(), strict=True):
        part.plot(curve, column, style="o-", ms=3, lw=1, ax=ax, legend=False)
        _ = ax.set(xscale="log", xlabel=curve, title=label)

# %% [markdown]
# In these short runs seven clips did as well as hundreds: patches, positions and noise make samples differ. Of the sizes, only the smallest network differs.
# Each point is one run, and differences of 0.01 may be chance, so the figure excludes a large effect, not a small one.
# In the trials above a larger dictionary did help.
# What remains is the ambiguity of the inverse problem: at 5 dB, or deep in the brain, several patches explain the EEG equally well ([chapter 4](04_evaluation.ipynb) shows where).

# %% [markdown]
# (what-electrodes-cost)=
# ## What electrodes cost
#
# The scans follow from the leadfield, and the transformer sees the maps of any cap as those of its own, so one set of weights serves every cap.
# What do fewer electrodes, lost channels, small sources and equal time courses cost?
# The table was computed beforehand (`benchmarks/price_list.py`; means over fresh recordings of the template head, in the upper rows with one, two and three sources of the paper's sizes; regions with a probability above one half).
# "Missed": sources of which no region was found. "Nearest": share of the recordings whose strongest region lies within 5 mm of a source.

# %%
prices = dl.results.read_experiment("price_list")
_ = dl.results.write_table("03_price_list", prices, profile)
shown = prices.set_index(["group", "condition"]).drop(columns="strongest_mm")
shown.rename(columns={**METRICS, "strongest_near": "nearest"}).round(2)

# %% [markdown]
# Eight electrodes more or less change little above 32; below, sources are missed rather than misplaced.
# A source of a single region is found, which a network that had only met large ones could not do.
# Sources with one time course remain the hard case: their maps are one map, and several pairs explain it.
#
# ## Train it further
#
# The network needs no training for your cap.
# Training goes on from shipped weights, on what you change:
#
# ```python
# head = dl.load_head_model("template-64")
# clips = dl.load_spike_library("lite", split="train")
# dl.train(head, clips, "my-network", initial="lite", max_minutes=20)
# ```
#
# In the shell the same is `deepsif-lite train`, and `dl.load_model("my-network")` images with the result.
# Several GPUs or machines share each batch under `torchrun`; a killed run goes on where it was.
#
# ## Summary
#
# - A network learns the inverse problem, from scalp to cortex, from simulated pairs alone.
# - A decomposition of a second of EEG into eight maps turns 500 time points into eight numbers a region, and lets a laptop train in about an hour.
# - What follows from physics need not be learned: the fit of thousands of patches is computed, and the network learns to combine such results.
#
# ## Limits
#
# - The shipped networks saw fewer samples than the paper's, drawn from hundreds of clips instead of hundreds of thousands; a clip's time course serves patches anywhere, not only at the region it was simulated in.
# - Eight maps represent a few sources. Activity at many independent places does not fit into them.
# - What was simulated beside the cortex is a choice of ours. An artifact of another kind may still be taken for a source.
# - The scans depend on the leadfield. A head that differs from the template makes them err, though training with displaced electrodes reduces that; [chapter 4](04_evaluation.ipynb) measures by how much.
# - The paper's own network has not been trained here: at its scale that takes a GPU.
#
# ## Exercises
#
# **1.** Raise `n_modes` to 16, or lower it to 3 (`TrainingConfig(options={"n_modes": 3})`), and train as long. When does a third source suffer?
#
# :::{dropdown} Solution
# With three modes three sources fill all of them, and noise that is stronger than the weakest source takes its place: recall of the third source falls first. Sixteen cost time and bring maps of noise, which the network must learn to ignore. Score both with `mean_scores`, on `n_sources=3` alone.
# :::
#
# **2.** Give the dictionary one patch a region (`options={"n_shapes": 1}`). Does the search make up for it?
#
# :::{dropdown} Solution
# In part. The search flips parcels on the border from the best start, so it can grow a patch; but it starts from a worse one, stops at the first hill, and the other features (shares of likelihood) have one shape to compare. Look at precision: borders suffer before places do.
# :::
#
# **3.** Train the paper's network with `TrainingConfig(network="paper", learning_rate=3e-4)` for ten steps. How long would its 620,256 samples take on your machine?
#
# :::{dropdown} Solution
# Multiply: seconds a step (`card["training"]["seconds"]` over ten) times 620,256 over the batch size, times the number of passes, twenty in the paper. The product says why the paper used a graphics card.
# :::
#
# ## Next
#
# [Chapter 4](04_evaluation.ipynb) measures what the shipped network can and cannot image, and whether its probabilities are calibrated.
