"""How well XGBoost can tell generated rows from real ones.

    python3 bench/tables/two_sample.py REAL.csv GENERATED.csv

Prints 1 - 2 (AUC - 1/2) of held-out rows, the mean over three folds, with AUC at least 1/2: 1 if the tables cannot be told apart, 0 if
every row can. This is the detection score of SDMetrics with gradient boosting (XGBClassifier with its defaults). The larger table is cut
to the size of the smaller one. Text becomes codes in the order of the real table, and a missing value stays one. Needs Debian's
python3-xgboost, python3-sklearn and python3-pandas.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier


def score(real: pd.DataFrame, generated: pd.DataFrame, seed: int = 0) -> float:
    count = min(len(real), len(generated))
    # One stream of random numbers: two shuffles with the same seed could undo each other, and the folds of a time series would be
    # stretches of time.
    random = np.random.default_rng(seed)
    real = real.iloc[random.permutation(len(real))[:count]]
    generated = generated[list(real.columns)].iloc[random.permutation(len(generated))[:count]]
    folds = StratifiedKFold(3, shuffle=True, random_state=int(random.integers(2**31)))
    columns = []
    for name in real.columns:
        both = pd.concat([real[name], generated[name]], ignore_index=True)
        numbers = pd.to_numeric(both, errors="coerce")
        if numbers.isna().sum() > both.isna().sum():
            times = pd.to_datetime(both, errors="coerce", format="ISO8601")
            is_time = times.isna().sum() == both.isna().sum()
            codes = pd.Series(pd.factorize(both)[0]).replace(-1, np.nan)
            numbers = times.astype("int64").where(times.notna()) / 1e9 if is_time else codes
        columns.append(numbers.astype(float))
    x = np.stack(columns, axis=1)
    y = np.repeat([0, 1], count)
    scores = []
    for fit, held_out in folds.split(x, y):
        model = XGBClassifier(random_state=seed).fit(x[fit], y[fit])
        auc = roc_auc_score(y[held_out], model.predict_proba(x[held_out])[:, 1])
        scores.append(1 - (2 * max(auc, 0.5) - 1))
    return float(np.mean(scores))


if __name__ == "__main__":
    print(f"{score(pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])):.3f}")
