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
# A network can still learn the way back from the scalp to the cortex from simulations, where the way there is known.
# This chapter takes two networks apart, the paper's and a small one for laptops, and trains the small one before your eyes.
#
# **Paper map.** Fig. 2 (the network); Methods, "Training the DNN" {cite:p}`sun2022deepsif`.
#
# **You will learn**
# - what a training sample looks like, and what the loss asks for;
# - how the paper's network and ours get from 75 electrodes to 994 regions;
# - why splitting the EEG into a few scalp maps makes training so much cheaper;
# - how to train a network for your own montage.
#
# **Run time.** About two minutes at profile `lite` on two cores, most of it live training.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %%
import tempfile
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

import deepsif_lite as dl
from deepsif_lite import evaluation, network, training

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
#
# Both sides are scaled: the EEG loses its mean over time and over channels and is divided by its largest magnitude; the activity is divided by its largest magnitude.
# So the network learns *where* and *when*, never how many nanoampere metres.

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
# Every time point passes the *spatial module* on its own: with $x \in \mathbb{R}^{75}$ and ELU as $\varphi$,
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
# One pass of the paper's network costs 22 billion multiplications a second of EEG, nearly all in the LSTM.
# Ours starts from what source imaging has known for long: a second of EEG is nearly the sum of a few scalp maps, each with one time course.
# These are its singular vectors,
#
# $$
# \text{EEG}(t, c) \approx \sum_{m=1}^{8} \sigma_m\, v_m(t)\, u_m(c),
# $$
#
# and because a source keeps its place while it speaks, all the network has to say is how much each time course $v_m$ belongs to each region: 8 numbers a region instead of 500.
# It looks at the maps in two ways and adds up what it finds.
#
# - **Globally.** Each map is a token of a small transformer {cite:p}`vaswani2017`; two sources that share a map are told apart by the other maps.
# - **Locally.** For each region, how well does a patch there fit into the span of the first maps? This is the scan of MUSIC {cite:p}`mosher1992`. One small perceptron, the same for all regions, reads the answers for three patch sizes.
#
# A second output is the *probability* that a region is active at all; it multiplies the first.

# %% mystnb={"figure": {"name": "fig-training-networks", "caption": "The two networks. Grey: data, with sizes for 75 channels and 994 regions; colour: what is learnt. Paper: Fig. 2."}, "image": {"alt": "Two rows of boxes. Paper: EEG, two residual blocks, a layer, three LSTM layers, activity. Lite: EEG, 8 maps, transformer plus scan, loadings and gate, activity."}}
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
            ("transformer\n+ scan", "layer"),
            ("loadings\n8 × 994\n× gates", "layer"),
            ("activity =\ncourses × loadings\n500 × 994", "data"),
        ],
    }
)

# %% tags=["hide-input"]
shape = (len(head.ch_names), cortex.n_regions)
sizes = {
    kind: sum(p.numel() for p in network.build_network(kind, *shape).parameters())
    for kind in ("paper", "lite")
}
print({kind: f"{size:,}" for kind, size in sizes.items()})

# %% [markdown]
# ## Stage by stage, on one sample
#
# The shipped network, on the sample above.
# First the maps: two sources, so the first two or three carry the spikes, and the rest carry background and noise.

# %%
model = dl.load_model("lite-75")
net = model.network
eeg = torch.as_tensor(sample.eeg)[None]
with torch.no_grad():
    maps, strengths, courses = network.temporal_modes(eeg, net.n_modes)
    loadings, logits = net.loadings(maps, strengths)
    fit = torch.einsum("mc,src->smr", maps[0], net.scan).square().cumsum(1)
    probability = logits.sigmoid()[0].numpy()
print("strengths:", np.round(strengths[0].numpy(), 3))

# %% mystnb={"figure": {"name": "fig-training-modes", "caption": "The first four scalp maps of the sample and their time courses, each scaled to unit size."}, "image": {"alt": "Four scalp maps above their time courses; the first two courses show clear spikes, the others noise and background."}}
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
# The scan asks each region how much of a patch's scalp map lies in the span of the first maps (1 = all of it).
# It is high around the true patches, but also where patches merely look alike from the scalp.
# The gate, which has learnt what such scans look like, is much more decided.

# %% mystnb={"figure": {"name": "fig-training-stages", "caption": "From scan to gate to activity. Top: share of a patch's scalp map inside the span of the first three maps. Middle: the network's probability that a region is active. Bottom: largest magnitude of the resulting activity. Outlines: the true patches."}, "image": {"alt": "Three rows of cortex maps with the two true patches outlined: a broad scan, a sharp probability map and the activity."}}
with torch.no_grad():
    activity = net(eeg)[0].numpy()
outlines = {f"source {k}": p for k, p in enumerate(sample.patches, 1)}
fig, axes = dl.figures.plot_methods(
    {
        "scan": fit[-1, 2].numpy(),
        "gate": probability,
        "activity": np.abs(activity).max(axis=0),
    },
    cortex,
    outlines=outlines,
)

# %% [markdown]
# ## The loss
#
# The paper minimises the squared error between the network's activity and the true one, summed over all times and regions.
# The eight courses are orthogonal, so for us that sum splits into the squared error of the *loadings* and a part that no loading can change; we train on the loadings and never unfold time.
# To it we add the cross-entropy of the gate, which asks whether a region belongs to a patch:
#
# $$
# L = \frac{\lVert A - A^* \rVert^2}{\lVert A^* \rVert^2}
#   + 0.3\,\frac{1}{n_\text{active}} \sum_r \text{CE}\big(p_r, [r \text{ active}]\big).
# $$
#
# ## Watch it learn
#
# A fresh network, a couple of minutes at most.
# `train` writes a checkpoint every two minutes and goes on from it when called again; on a CPU a run that was interrupted gives the same weights, to the last bit, as one that was not.

# %% tags=["nbval-ignore-output", "remove-stderr"]
config = training.TrainingConfig(
    n_steps=settings.live_training_steps, batch_size=settings.batch_size, seed=seed
)
began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    out = training.train(head, train_clips, folder, config=config, progress=False)
    live = dl.load_model(out)
    live_log = pd.read_csv(out / "log.csv")
seconds = time.perf_counter() - began
device = live.card["training"]["device"]
print(f"{live_log.samples.iloc[-1]:,} samples in {seconds:.0f} s on {device}")

# %% [markdown]
# The run that made the shipped network was the same command, left running longer.
# Its log is shipped with its weights.

# %% mystnb={"figure": {"name": "fig-training-loss", "caption": "Loss on samples the network never sees again, and on a fixed set it never trains on: the live run (left) and the runs behind the shipped networks (right). The network for 64 electrodes started from that for 75."}, "image": {"alt": "Left: falling loss of the short live run. Right: falling validation loss of the shipped networks over hundreds of thousands of samples."}} tags=["nbval-ignore-output"]
fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.6), layout="constrained")
names = {"training_loss": "training", "validation_loss": "validation"}
_ = dl.figures.plot_loss(live_log, columns=names, ax=left, title="this run")
for shipped in dl.weights.available_weights():
    log = pd.read_csv(dl.paths.data_dir() / "weights" / shipped / "log.csv")
    _ = dl.figures.plot_loss(
        log, columns={"validation_loss": shipped}, ax=right, title="shipped"
    )
for ax in (left, right):
    _ = ax.set_ylabel("loss")

# %% [markdown]
# What did a minute buy?
# The same recordings, imaged by the network of this run and by the shipped one.

# %% tags=["nbval-ignore-output"]
rows = {}
for name, candidate in (("this run", live), ("shipped", model)):
    scores = evaluation.evaluate(
        candidate,
        test_clips,
        methods=("deepsif",),
        n_samples=min(settings.n_test_samples, 40),
        seed=seed,
        progress=False,
    )
    means = evaluation.per_sample(scores)[list(evaluation.METRICS)].mean()
    rows[name] = {
        "samples seen": candidate.card["training"]["samples"],
        "training time (min)": candidate.card["training"]["seconds"] / 60,
        **means.rename(evaluation.METRICS),
    }
paper = dl.scorecard.paper_values().value
rows["the paper"] = {
    "samples seen": paper["size/training_samples"],
    "precision": paper["sim/precision/all"],
    "recall": paper["sim/recall/all"],
    "localisation error (mm)": paper["sim/le/all"],
}
bought = pd.DataFrame(rows).T
_ = dl.results.write_table(
    "03_training", bought.rename_axis("network"), profile, seed=seed, seconds=seconds
)
bought.round(2)

# %% [markdown]
# The paper's row counts distinct samples; its network saw each of them up to twenty times, on one V100 GPU.
# Chapter 4 scores the shipped network on more recordings, set by set.

# %% mystnb={"figure": {"name": "fig-training-before-after", "caption": "The sample of {numref}`fig-training-sample`, imaged by the network of the live run and by the shipped one."}, "image": {"alt": "Three rows of cortex maps: the two true patches, a blurred image by the briefly trained network, and a sharp one by the shipped network."}} tags=["nbval-ignore-output"]
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
# ## Train on your own montage
#
# Three lines, with a head model that has your electrodes:
#
# ```python
# head = dl.load_head_model("template-64")
# clips = dl.load_spike_library("lite", split="train")
# dl.train(head, clips, "my-network", initial="lite-75", max_minutes=20)
# ```
#
# `initial` starts from a trained network of another montage: the scan takes the new leadfield, and the first layer is translated by ridge regression between the two leadfields.
# In the shell the same is `deepsif-lite train`, and `dl.load_model("my-network")` images with the result.
#
# ## Summary
#
# - A network learns the way from scalp to cortex from simulated pairs alone.
# - Splitting a second of EEG into eight maps turns 500 time points into eight numbers a region, and lets a laptop train in less than an hour.
# - Letting every region ask the same physical question, does a patch here fit?, teaches all regions at once.
#
# ## Limits
#
# - The shipped networks saw fewer samples than the paper's, drawn from hundreds of clips instead of hundreds of thousands; a clip's time course serves patches anywhere, not only at the region it was simulated in.
# - Eight maps hold a few sources. Activity spread over many independent places does not fit into them.
# - The probability of the gate has not been checked for calibration here.
#
# ## Exercises
#
# 1. Raise `n_modes` of `network.ScanNetwork` to 16, or lower it to 3, and train as long. When does a third source suffer?
# 2. Set `network.PATCH_PROFILES` to single regions only. What does the scan lose?
# 3. Train the paper's network with `TrainingConfig(network="paper", learning_rate=3e-4)` for ten steps. How long would its 620,256 samples take on your machine?
#
# **Next:** [chapter 4](04_evaluation.ipynb) measures what the shipped network can and cannot see.
