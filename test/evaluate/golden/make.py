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
from sklearn.metrics import roc_auc_score


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


boosted_trees()
auroc()
