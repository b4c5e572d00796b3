"""Writes golden numbers of the statistics in src/evaluate: scikit-learn's and scipy's, or those of direct formulas.

    python make.py

Written with scikit-learn 1.4.2, scipy 1.15.3 and numpy 2.2.4. Inputs are rounded before any computation, so that the files have them
exactly. Missing values are null.
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors


def write(name, content):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(each) for each in value]
        if isinstance(value, np.ndarray):
            return [plain(each) for each in value.tolist()]
        if isinstance(value, (float, np.floating)):
            return None if np.isnan(value) else float(value)
        return value.item() if isinstance(value, np.generic) else value

    path = Path(__file__).parent / f"{name}.json"
    path.write_text(json.dumps(plain(content)) + "\n")


def boosted_trees():
    """Predictions of 20 rows by trees that are fitted to 300 rows with missing values. Gradients of classes are equal in many rows at
    first, so that splits have equal gains, among which rounding chooses: with this seed it does not in the first trees of three classes."""
    random = np.random.default_rng(5)
    x = random.normal(size=(320, 3)).round(3)
    x[random.random(320) < 0.2, 1] = np.nan
    signal = np.sin(2 * x[:, 0]) + np.where(np.isnan(x[:, 1]), 1, x[:, 1]) * x[:, 2]
    noisy = signal + random.normal(size=320)
    targets = {
        "number": noisy.round(3),
        "two": (noisy > 0.3).astype(int),
        "three": np.digitize(noisy, [-0.5, 0.8]),
    }
    iterations = {"number": 30, "two": 30, "three": 3}
    predictions = {}
    for name, y in targets.items():
        options = {"max_iter": iterations[name], "early_stopping": False}
        if name == "number":
            model = HistGradientBoostingRegressor(**options).fit(x[:300], y[:300])
            predictions[name] = [model.predict(x[300:])]
        else:
            model = HistGradientBoostingClassifier(**options).fit(x[:300], y[:300])
            predictions[name] = model.predict_proba(x[300:]).T
    write("boosted-trees", {"x": x.T, "targets": targets, "iterations": iterations, "predictions": predictions})


def auroc():
    """The area with scikit-learn, and the standard error of DeLong et al. (1988) from all pairs."""
    random = np.random.default_rng(1)
    positive = (random.normal(size=30) + 0.8).round(1)
    negative = random.normal(size=41).round(1)
    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    of_positive, of_negative = kernel.mean(1), kernel.mean(0)
    variance = of_positive.var(ddof=1) / 30 + of_negative.var(ddof=1) / 41
    labels = np.r_[np.ones(30), np.zeros(41)]
    write(
        "auroc",
        {
            "positive": positive,
            "negative": negative,
            "value": roc_auc_score(labels, np.r_[positive, negative]),
            "standardError": np.sqrt(variance),
            "midranks": stats.rankdata(positive),
        },
    )


def table(random, rows):
    """Columns x and y of numbers, of which y has missing values, and a and b of labels, which depend on each other."""
    x = random.normal(size=rows).round(2)
    y = (0.6 * x + random.normal(size=rows)).round(1)
    y[random.random(rows) < 0.15] = np.nan
    a = np.where(x + random.normal(size=rows) > 0, "high", "low")
    b = np.where(random.random(rows) < 0.6, a, "other")
    return {"x": x, "y": y, "a": a, "b": b}


def correlation_ratio(numbers, labels):
    """From the F statistic of a one-way analysis of variance."""
    groups = [numbers[labels == label] for label in np.unique(labels)]
    within = len(numbers) - len(groups)
    explained = stats.f_oneway(*groups).statistic * (len(groups) - 1)
    return np.sqrt(explained / (explained + within))


def associations():
    """The association of each pair of columns in the rows in which both are present, with ranks and with values."""
    rows = table(np.random.default_rng(2), 60)
    pairs = {}
    for name, numbers in {"spearman": stats.rankdata, "pearson": np.asarray}.items():
        for first, second in [("x", "y"), ("x", "a"), ("y", "a"), ("y", "b"), ("a", "b")]:
            p, q = rows[first], rows[second]
            present = ~(np.isnan(p) if p.dtype.kind == "f" else np.zeros(60, bool))
            present &= ~(np.isnan(q) if q.dtype.kind == "f" else np.zeros(60, bool))
            p, q = p[present], q[present]
            if q.dtype.kind == "f":
                value = (stats.spearmanr if name == "spearman" else stats.pearsonr)(p, q).statistic
            elif p.dtype.kind == "f":
                value = correlation_ratio(numbers(p), q)
            else:
                value = stats.contingency.association(stats.contingency.crosstab(p, q).count, method="cramer")
            pairs.setdefault(name, []).append([first, second, value])
    write("associations", {"rows": rows, "pairs": pairs})


def gower(first, second, scale):
    """The distances of Gower (1971) of all pairs of rows; numbers are divided by the range of the central 98% of `scale`."""
    total = 0
    for name, p in first.items():
        p, q = p[:, None], second[name][None, :]
        if p.dtype.kind != "f":
            total = total + (p != q)
            continue
        low, high = np.nanquantile(scale[name], [0.01, 0.99])
        difference = np.minimum(1, np.abs(p - q) / (high - low))
        missing = np.isnan(p).astype(int) + np.isnan(q)
        total = total + np.where(missing == 0, difference, missing == 1)
    return total / len(first)


def neighbors():
    """Precision, recall, density and coverage from scikit-learn's neighbors, and distances to the closest row."""
    random = np.random.default_rng(3)
    real, generated = table(random, 50), table(random, 40)
    generated["x"] = (generated["x"] + 1).round(2)
    for name, values in generated.items():
        values[:4] = real[name][:4]
    k = 5

    def radius(rows):
        distances = gower(rows, rows, real)
        np.fill_diagonal(distances, 0)
        return NearestNeighbors(n_neighbors=k + 1, metric="precomputed").fit(distances).kneighbors(distances)[0][:, k]

    between = gower(real, generated, real)
    in_real = between <= radius(real)[:, None] + 1e-12
    in_generated = between <= radius(generated)[None, :] + 1e-12
    closest = between.min(0)
    held_out = gower(table(random, 30), real, real).min(1)
    write(
        "neighbors",
        {
            "real": real,
            "generated": generated,
            "precision": in_real.any(0).mean(),
            "recall": in_generated.any(1).mean(),
            "density": in_real.sum(0).mean() / k,
            "coverage": in_real.any(1).mean(),
            "copies": (closest == 0).mean(),
            "median": np.median(closest),
            "low": np.quantile(closest, 0.05),
        },
    )


def calibration():
    """Counts of PIT values in bins of real numbers among generated ones, and quantiles of the numbers in a bin."""
    random = np.random.default_rng(4)
    real, generated = random.normal(size=80).round(6), (1.5 * random.normal(size=199)).round(6)
    ranks = (generated[None, :] < real[:, None]).sum(1)
    # Bins of ten ranks, within which the random part of a PIT does not matter.
    counts = np.histogram(ranks, bins=np.arange(0, 201, 10))[0]
    tail = (1 - 0.99) / 2
    write(
        "calibration",
        {
            "real": real,
            "generated": generated,
            "counts": counts,
            "binomial": [stats.binom.ppf(q, 80, 0.1) for q in (tail, 1 - tail)],
            "betaBinomial": [stats.betabinom.ppf(q, 80, 20, 180) for q in (tail, 1 - tail)],
            # Nine draws have ten spacings, one in each bin.
            "betaBinomialOfNine": [stats.betabinom.ppf(q, 80, 1, 9) for q in (tail, 1 - tail)],
        },
    )


def usefulness():
    """Scores on test rows of trees that are fitted to each of two tables, by scikit-learn."""
    random = np.random.default_rng(7)

    def rows(n, noise):
        x = random.normal(size=(n, 2)).round(3)
        return np.c_[x, (np.sin(2 * x[:, 0]) + x[:, 1] + noise * random.normal(size=n)).round(3)]

    tables = {"training": rows(200, 0.3), "generated": rows(200, 1.5), "heldOut": rows(60, 0.3)}
    test = tables["heldOut"]
    scores = {}
    for name in ("training", "generated"):
        x, y = tables[name][:, :2], tables[name][:, 2]
        regressor = HistGradientBoostingRegressor(early_stopping=False).fit(x, y)
        classifier = HistGradientBoostingClassifier(early_stopping=False).fit(x, y > 0)
        scores[name] = {
            "number": r2_score(test[:, 2], regressor.predict(test[:, :2])),
            "label": roc_auc_score(test[:, 2] > 0, classifier.predict_proba(test[:, :2])[:, 1]),
        }
    write("usefulness", {"tables": {name: values.T for name, values in tables.items()}, "scores": scores})


boosted_trees()
auroc()
associations()
neighbors()
calibration()
usefulness()
