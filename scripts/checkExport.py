"""Runs the ONNX files of a folder with their inputs, and prints how much the outputs differ from the expected ones."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

folder = Path(sys.argv[1])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3


def array(data, type="float64"):
    return np.array(data, object) if type == "string" else np.array([float(x) for x in data], type)


def difference(received, expected):
    """The largest difference relative to max(1, |value|), infinite if sizes, texts, NaN or infinite values differ."""
    if received.size != len(expected):
        return np.inf
    if received.dtype == object:
        return 0.0 if list(received) == expected else np.inf
    wanted = array(expected)
    got = received.astype(np.float64).reshape(-1)
    unlike = ~((got == wanted) | (np.isnan(got) & np.isnan(wanted)))
    with np.errstate(invalid="ignore"):
        relative = np.abs(got - wanted)[unlike] / np.maximum(1, np.abs(wanted[unlike]))
    return float(np.max(np.nan_to_num(relative, nan=np.inf, posinf=np.inf), initial=0.0))


results = {}
for path in sorted(folder.glob("*.onnx")):
    case = json.loads(path.with_suffix(".json").read_text())
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {
            name: array(value["data"], value["type"]).reshape(value["shape"]) for name, value in case["inputs"].items()
        }
        names = list(case["expected"])
        values = session.run(names, inputs)
        differences = {name: difference(value, case["expected"][name]) for name, value in zip(names, values)}
    except Exception as error:  # The message belongs to this file, and the other files are checked too.
        differences = {f"{type(error).__name__}: {error}": np.inf}
    results[path.stem] = {name: "Infinity" if np.isinf(d) else d for name, d in differences.items()}
print(json.dumps(results))
