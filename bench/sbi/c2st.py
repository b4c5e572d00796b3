"""The classifier two-sample test of the SBI benchmark: python3 c2st.py REFERENCE.csv.gz SAMPLES.csv

Prints the accuracy of scikit-learn's MLPClassifier in five-fold cross-validation: two layers of 10 D units, on samples that are
z-scored by the reference. 0.5, the accuracy of guessing, is the best value.
"""

import sys

import numpy as np
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier

reference, samples = (np.loadtxt(path, delimiter=",", skiprows=1) for path in sys.argv[1:3])
mean, deviation = reference.mean(axis=0), reference.std(axis=0, ddof=1)
rows = ((np.concatenate([reference, samples]) - mean) / deviation).astype(np.float32)
labels = np.repeat([0, 1], [len(reference), len(samples)])
units = 10 * reference.shape[1]
classifier = MLPClassifier(hidden_layer_sizes=(units, units), max_iter=10000, random_state=1)
folds = KFold(n_splits=5, shuffle=True, random_state=1)
print(cross_val_score(classifier, rows, labels, cv=folds, scoring="accuracy").mean())
