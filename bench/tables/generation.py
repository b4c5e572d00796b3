"""Compares generated rows with the published results of Forest-Flow (Jolicoeur-Martineau et al. 2024) on small tables, by its definitions.

    python3 bench/tables/generation.py --data DIRECTORY [--only iris,wine] [--splits 3] [--generations 5] [--controls]

Rows are split into 80% training and 20% test rows by scikit-learn with the seeds 0, 1, ... of the paper's program, stratified by class.
`pushforward fit` with its defaults learns the training rows, and `sample` draws the same number of rows. All numbers are scaled to [0, 1] by the training
rows, and classes, if three or more, are one-hot vectors divided by 2. Then

- W1 is the Wasserstein distance of the generated rows to the training and to the test rows, where the cost is the L1 distance;
- coverage is the fraction of training or test rows whose ball, up to the k-th neighbor in the same set, has a generated row in it. k is the
  smallest number with which the set covers itself to 95%.

Prints a row of a table in Markdown for each table: splits x generations, the four measures of pushforward / Forest-Flow (- if no number is
published), and the seconds of training. With --controls it trains nothing, and prints the distances to the test rows of tables that no model
generated: of the training rows, which are a sample of the true distribution; of copies, which are training rows drawn with replacement; and of
the means of each training row and its 1 or 3 nearest neighbors. Two numbers follow: the coverage of the test rows by the training rows, and by the copies.
`npm run bench:tables` writes the rows of the tables to bench/tables/RESULTS.md. Needs Debian's python3-sklearn and python3-pot.
"""

import argparse
import csv
import os
import subprocess
import tempfile
import time

import numpy as np
import ot
from scipy.spatial.distance import cdist
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import train_test_split

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOREST_FLOW = "forest_diffusion_flow_nt51_ycond"
SKLEARN = {"iris": load_iris, "wine": load_wine, "breast_cancer_diagnostic": load_breast_cancer}
FILES = {
    "ionosphere": "ionosphere.csv",
    "concrete_compression": "concrete.csv",
    "yacht_hydrodynamics": "yacht.csv",
    "wine_quality_red": "winequality-red.csv",
    "wine_quality_white": "winequality-white.csv",
}
# The index of a column to leave out, because it is always 0 or because the program of the paper leaves it out.
LEFT_OUT = {"ionosphere": 1, "wine_quality_red": 0, "wine_quality_white": 0}
CLASSES = {"iris", "wine", "breast_cancer_diagnostic", "ionosphere"}


def load(name, data):
    """The numbers of a table, the last column being the target; a class is a number from 0."""
    if name in SKLEARN:
        bunch = SKLEARN[name]()
        return np.column_stack([bunch.data, bunch.target]).astype(float)
    with open(os.path.join(data, "uci", FILES[name]), encoding="utf8") as file:
        rows = list(csv.reader(file))[1:]
    target = [row[-1] for row in rows]
    if name in CLASSES:
        order = list(dict.fromkeys(target))
        target = [order.index(value) for value in target]
    columns = [i for i in range(len(rows[0]) - 1) if i != LEFT_OUT.get(name)]
    return np.array([[*(float(row[i]) for i in columns), float(y)] for row, y in zip(rows, target)])


def pushforward(*words):
    command = ["node", "--import", "tsx", os.path.join(ROOT, "src/cli/main.ts"), *words]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write(path, rows, has_class):
    with open(path, "w", encoding="utf8") as file:
        file.write(",".join(f"x{i}" for i in range(rows.shape[1] - 1)) + ",y\n")
        for row in rows:
            y = f"class {int(row[-1])}" if has_class else repr(float(row[-1]))
            file.write(",".join(repr(float(x)) for x in row[:-1]) + f",{y}\n")


def read(path):
    with open(path, encoding="utf8") as file:
        return np.array([[float(x.removeprefix("class ")) for x in row] for row in list(csv.reader(file))[1:]])


def scaled(rows, train, classes):
    """Scaled as in the program of the paper. `classes` is the number of classes if there are three or more, or 0."""
    numbers = train.shape[1] - (1 if classes else 0)
    low, high = train[:, :numbers].min(0), train[:, :numbers].max(0)
    result = (rows[:, :numbers] - low) / np.where(high > low, high - low, 1)
    return np.hstack([result, np.eye(classes)[rows[:, -1].astype(int)] / 2]) if classes else result


def wasserstein(a, b):
    return ot.emd2([], [], cdist(a, b, "cityblock"), numItermax=10**7)


def coverage(real, generated, k=None):
    if k is None:
        k = 1
        while coverage(real, real, k) < 0.95:
            k += 1
        # The published program increases k once more after the loop.
        k += 1
    radii = np.sort(cdist(real, real, "cityblock"), axis=1)[:, k]
    return (cdist(real, generated, "cityblock").min(axis=1) < radii).mean()


def split(rows, has_class, splits):
    stratify = rows[:, -1] if has_class else None
    for seed in range(splits):
        yield train_test_split(rows, test_size=0.2, random_state=seed, stratify=stratify)


def controls(name, data, splits, generations):
    rows = load(name, data)
    has_class = name in CLASSES
    classes = len(set(rows[:, -1])) if has_class else 0
    random = np.random.default_rng(0)
    results = []
    for train, test in split(rows, has_class, splits):
        real, held_out = (scaled(part, train, classes if classes > 2 else 0) for part in (train, test))
        distances = cdist(real, real, "cityblock")
        np.fill_diagonal(distances, np.inf)
        order = np.argsort(distances, axis=1)
        means = [(real + real[order[:, :k]].sum(axis=1)) / (k + 1) for k in (1, 3)]
        copies = [real[random.integers(0, len(real), len(real))] for _ in range(generations)]
        distance = np.mean([wasserstein(held_out, each) for each in copies])
        covered = np.mean([coverage(held_out, each) for each in copies])
        distances = [wasserstein(held_out, real), distance, *(wasserstein(held_out, each) for each in means)]
        results.append([*distances, coverage(held_out, real), covered])
    return np.mean(results, axis=0)


def measure(name, data, splits, generations):
    rows = load(name, data)
    has_class = name in CLASSES
    classes = len(set(rows[:, -1])) if has_class else 0
    one_hot = classes if classes > 2 else 0
    results = []
    for seed, (train, test) in enumerate(split(rows, has_class, splits)):
        with tempfile.TemporaryDirectory() as directory:
            table, model, out = (os.path.join(directory, f) for f in ("t.csv", "m.safetensors", "g.csv"))
            write(table, train, has_class)
            start = time.time()
            pushforward("fit", table, "-o", model, "--test-fraction", "0", "--seed", str(seed))
            seconds = time.time() - start
            for generation in range(generations):
                pushforward("sample", model, "-n", str(len(train)), "-o", out, "--seed", str(generation))
                fake = scaled(read(out), train, one_hot)
                real, held_out = scaled(train, train, one_hot), scaled(test, train, one_hot)
                results.append(
                    {
                        "W1_train": wasserstein(real, fake),
                        "W1_test": wasserstein(held_out, fake),
                        "coverage_train": coverage(real, fake),
                        "coverage_test": coverage(held_out, fake),
                        "seconds": seconds,
                    }
                )
    return {key: float(np.mean([result[key] for result in results])) for key in results[0]}


def read_published(data):
    """The measures of Forest-Flow, as text, by the name of the table."""
    with open(os.path.join(data, "tables-published.csv"), encoding="utf8") as file:
        return {row["dataset"]: row for row in csv.DictReader(file) if row["method"] == FOREST_FLOW}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--only")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--controls", action="store_true")
    options = parser.parse_args()
    measures = ["W1_train", "W1_test", "coverage_train", "coverage_test"]
    # Read before the run, so that it is not in vain if the file is missing.
    published = {} if options.controls else read_published(options.data)
    for name in options.only.split(",") if options.only else [*SKLEARN, *FILES]:
        if options.controls:
            cells = [f"{x:.3f}" for x in controls(name, options.data, options.splits, options.generations)]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
            continue
        ours = measure(name, options.data, options.splits, options.generations)
        theirs = published.get(name)
        cells = [f"{ours[key]:.3f} / " + (f"{float(theirs[key]):.3f}" if theirs else "-") for key in measures]
        print(f"| {name} | {options.splits} x {options.generations} | " + " | ".join(cells) + f" | {ours['seconds']:.0f} |", flush=True)
