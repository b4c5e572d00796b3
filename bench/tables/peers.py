"""Fits other density estimators to the tables that the defaults of `fitFlows` are compared on.

    node --import tsx bench/tables/write.ts --data DATA --to DIRECTORY
    python3 bench/tables/peers.py --tables DIRECTORY [--only TABLE,...] [--models MODEL,...] [--processes 2]

Every model is fitted to the training rows. Its hyperparameters (components, bandwidth, epoch) are chosen by the mean
log-density of the validation rows. The test rows are only scored. The models are

    gaussian   the maximum-likelihood Gaussian with full covariance
    mixture    scikit-learn's Gaussian mixture with full covariances; the validation rows choose components and regularization
    kernel     a density estimate with isotropic Gaussian kernels of one width, which the validation rows choose
    maf, nsf   zuko's MAF and NSF, each with three seeds

Each finished fit is saved in DIRECTORY/fits with its log-densities of the test rows, and is not repeated unless this file is
deleted. Interrupted training runs of flows resume. The summary of all saved fits is written to bench/tables/peers.json, where results
without saved fits are kept; its `seconds` are processor time with one thread.

Requires NumPy, SciPy, scikit-learn, PyTorch and zuko; PYTHONPATH may point to their sources.
"""

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from functools import partial
from pathlib import Path

# Several fits run in parallel with one thread each. Set before NumPy and PyTorch create their thread pools.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import zuko
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

OUTPUT = Path(__file__).with_name("peers.json")

COMPONENTS = [1, 2, 4, 8, 16, 32, 64]
REGULARIZATIONS = [1e-4, 1e-6, 1e-3]
# With more training rows, only the best number of components is fitted with all regularizations.
MAX_ROWS_FOR_FULL_GRID = 5000

BATCH = 256
LEARNING_RATE = 1e-3
CLIP_NORM = 5
# Training ends after this number of epochs without a better validation log-density, and at least this number of steps, since
# an epoch of a small table has only a few steps. The learning rate is halved after a third of these epochs.
PATIENCE_EPOCHS = 60
PATIENCE_STEPS = 500
# With more training rows, hidden layers have 128 units instead of 64.
MAX_ROWS_FOR_NARROW = 5000
EPOCHS_BETWEEN_SAVES = 20


def gaussian(train, validation, test, seed, unfinished):
    mean, covariance = train.mean(0), np.cov(train.T, bias=True)
    cholesky = np.linalg.cholesky(covariance)

    def log_density(rows):
        z = np.linalg.solve(cholesky, (rows - mean).T)
        log_scale = np.log(np.diag(cholesky)).sum()
        return -0.5 * (z**2).sum(0) - log_scale - 0.5 * train.shape[1] * math.log(2 * math.pi)

    return log_density(validation), log_density(test), {}


def mixture(train, validation, test, seed, unfinished):
    def fit(components, regularization):
        model = GaussianMixture(
            components, n_init=3, max_iter=200, reg_covar=regularization, random_state=seed
        ).fit(train)
        return model.score(validation), model, {"components": components, "regularization": regularization}

    components = [k for k in COMPONENTS if k <= len(train)]
    full = len(train) <= MAX_ROWS_FOR_FULL_GRID
    first, *others = REGULARIZATIONS
    fits = [fit(k, r) for k in components for r in (REGULARIZATIONS if full else [first])]
    if not full:
        best = max(fits, key=lambda f: f[0])[2]["components"]
        fits += [fit(best, r) for r in others]
    _, model, chosen = max(fits, key=lambda f: f[0])
    return model.score_samples(validation), model.score_samples(test), chosen


def kernel(train, validation, test, seed, unfinished):
    features = train.shape[1]

    def log_densities(rows, widths):
        """Returns [widths, rows]. Rows are processed in blocks, so that the distances fit into memory."""
        blocks = []
        for start in range(0, len(rows), 256):
            squares = cdist(rows[start : start + 256], train, "sqeuclidean")
            blocks.append([logsumexp(-0.5 * squares / h**2, axis=1) - features * math.log(h) for h in widths])
        return np.concatenate(blocks, axis=1) - math.log(len(train)) - 0.5 * features * math.log(2 * math.pi)

    def best_of(exponents):
        means = log_densities(validation, 10.0**exponents).mean(1)
        return exponents[np.argmax(means)]

    exponent = best_of(np.arange(-2.5, 0.51, 0.1))
    width = 10.0 ** best_of(exponent + np.arange(-0.1, 0.11, 0.02))
    return log_densities(validation, [width])[0], log_densities(test, [width])[0], {"width": float(width)}


def flow(recipe, train, validation, test, seed, unfinished):
    """Trains a flow of zuko with Adam until the validation log-density stops increasing.

    `unfinished` is the checkpoint file, from which an interrupted training resumes.
    """
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rows, features = train.shape
    width = 128 if rows > MAX_ROWS_FOR_NARROW else 64
    model = recipe(features, transforms=5, hidden_features=(width, width), randperm=True)
    data, held_out = torch.tensor(train).float(), torch.tensor(validation).float()
    # All rows are used, in batches of at least 256 rows, or in one batch if there are fewer rows.
    batches = max(1, rows // BATCH)
    patience = max(PATIENCE_EPOCHS, math.ceil(PATIENCE_STEPS / batches))
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    # The metric is minus the log-density, which can change its sign, so the default relative threshold does not work.
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience // 3, threshold=0, threshold_mode="abs", min_lr=1e-5
    )
    state = {"epoch": 0, "skipped": 0, "best": -math.inf, "bestEpoch": 0, "bestWeights": None}
    earlier_seconds, start = 0.0, time.process_time()
    if unfinished.exists():
        saved = torch.load(unfinished, weights_only=False)
        state, earlier_seconds = saved["state"], saved["seconds"]
        for part, values in zip((model, optimizer, plateau), saved["parts"]):
            part.load_state_dict(values)
        torch.set_rng_state(saved["random"])
    while state["epoch"] - state["bestEpoch"] < patience:
        state["epoch"] += 1
        for batch in torch.randperm(rows).chunk(batches):
            loss = -model().log_prob(data[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
            if torch.isfinite(loss) and torch.isfinite(norm):
                optimizer.step()
            else:
                state["skipped"] += 1
        with torch.no_grad():
            score = model().log_prob(held_out).mean().item()
        plateau.step(-score if math.isfinite(score) else math.inf)
        if score > state["best"]:
            weights = {key: value.clone() for key, value in model.state_dict().items()}
            state.update(best=score, bestEpoch=state["epoch"], bestWeights=weights)
        if state["epoch"] % EPOCHS_BETWEEN_SAVES == 0:
            parts = [part.state_dict() for part in (model, optimizer, plateau)]
            seconds = earlier_seconds + time.process_time() - start
            saved = {"state": state, "parts": parts, "random": torch.get_rng_state(), "seconds": seconds}
            torch.save(saved, unfinished)
            step = optimizer.param_groups[0]["lr"]
            report = f"{unfinished.stem} epoch {state['epoch']}: {score:.4f}, best {state['best']:.4f}, step {step:.1e}"
            print(report, file=sys.stderr, flush=True)
    model.load_state_dict(state["bestWeights"])
    model.double()
    with torch.no_grad():
        scores = [model().log_prob(torch.tensor(part)).numpy() for part in (validation, test)]
    unfinished.unlink(missing_ok=True)
    return *scores, {
        "epochs": state["epoch"],
        "bestEpoch": state["bestEpoch"],
        "skippedSteps": state["skipped"],
        "earlierSeconds": earlier_seconds,
    }


MODELS = {
    "gaussian": (gaussian, [0]),
    "mixture": (mixture, [0]),
    "kernel": (kernel, [0]),
    "maf": (partial(flow, zuko.flows.MAF), [0, 1, 2]),
    "nsf": (partial(flow, zuko.flows.NSF), [0, 1, 2]),
}


def shape_of(directory, table):
    return json.loads((directory / f"{table}.json").read_text())


def part_of(directory, table, part):
    return np.fromfile(directory / f"{table}.{part}.f64").reshape(-1, shape_of(directory, table)["features"])


def fit_file(directory, table, model, seed):
    """The file name includes the digest of the table, so that fits to an older version of the table are not used."""
    return directory / "fits" / f"{table}.{model}.{seed}.{shape_of(directory, table)['digest'][:8]}.npz"


def run(job):
    directory, table, model, seed = job
    file = fit_file(*job)
    start = time.process_time()
    parts = [part_of(directory, table, part) for part in ("train", "validation", "test")]
    validation, test, chosen = MODELS[model][0](*parts, seed, file.with_suffix(".pt"))
    seconds = chosen.pop("earlierSeconds", 0) + time.process_time() - start
    np.savez(file, validation=validation, test=test, seconds=seconds, chosen=json.dumps(chosen))
    return job


def summary(directory, table, model):
    """Mean over seeds, its standard error over test rows (of log-densities averaged over seeds), and the fit of each seed."""
    files = {seed: fit_file(directory, table, model, seed) for seed in MODELS[model][1]}
    fits = {seed: np.load(file) for seed, file in files.items() if file.exists()}
    if not fits:
        return None
    test = np.stack([fit["test"] for fit in fits.values()])
    return {
        "table": table,
        "model": model,
        "digest": shape_of(directory, table)["digest"],
        "test": test.mean(),
        "testError": test.mean(0).std(ddof=1) / math.sqrt(test.shape[1]),
        "validation": float(np.mean([fit["validation"].mean() for fit in fits.values()])),
        "seeds": [
            {
                "seed": seed,
                "test": fit["test"].mean(),
                "validation": fit["validation"].mean(),
                "seconds": round(float(fit["seconds"]), 2),
                **json.loads(str(fit["chosen"])),
            }
            for seed, fit in fits.items()
        ],
    }


def write_summaries(directory, tables):
    summaries = [summary(directory, table, model) for table in tables for model in MODELS]
    found = {(s["table"], s["model"]): s for s in summaries if s is not None}
    known = json.loads(OUTPUT.read_text())["results"] if OUTPUT.exists() else []
    merged = {**{(s["table"], s["model"]): s for s in known}, **found}
    order = lambda key: (key[0], list(MODELS).index(key[1]))
    versions = {"zuko": zuko.__version__, "torch": torch.__version__}
    results = {"versions": versions, "results": [merged[key] for key in sorted(merged, key=order)]}
    new = OUTPUT.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(results, indent=2) + "\n")
    new.replace(OUTPUT)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--only", type=lambda text: text.split(","))
    parser.add_argument("--models", type=lambda text: text.split(","), default=list(MODELS))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    directory = options.tables
    (directory / "fits").mkdir(exist_ok=True)
    tables = [path.stem for path in sorted(directory.glob("*.json"))]
    jobs = [
        (directory, table, model, seed)
        for table in options.only or tables
        for model in options.models
        for seed in MODELS[model][1]
        if not fit_file(directory, table, model, seed).exists()
    ]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for job in pool.imap_unordered(run, jobs):
            write_summaries(directory, tables)
            print(*job[1:], f"{np.load(fit_file(*job))['test'].mean():.4f}", flush=True)
    write_summaries(directory, tables)


if __name__ == "__main__":
    main()
