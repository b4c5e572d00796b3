import { VERSION } from "../package/index.ts";

/** The Python file that scores tables with an exported density on a cluster. */
export const pythonFile = (engine: "dask" | "spark"): string =>
  ({ dask, spark })[engine].replace("VERSION", VERSION).replace("COMMON\n", common);

/** The functions of both files: a session for each process, and its inputs from the rows of a table. */
const common = `_sessions = {}


def session(path):
    """The session of this process. Sessions cannot be pickled, so each process makes its own, at its first partition."""
    if path not in _sessions:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # The engine runs a process or a thread for each core.
        _sessions[path] = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return _sessions[path]


def signature(path):
    """The inputs and outputs of the model, as pushforward describes them."""
    return json.loads(session(path).get_modelmeta().custom_metadata_map["pushforward"])


def input_columns(path):
    """The columns of a table that the model reads."""
    return [
        name for value in signature(path)["inputs"] for name in ([value["column"]] if "column" in value else value["columns"])
    ]


def numbers(values, type):
    """Values as float64: booleans as 0 and 1, dates in milliseconds since 1970-01-01 UTC, times in milliseconds since midnight."""
    if type == "time":
        values = "1970-01-01T" + values.astype("string")
    if type in ("date", "timestamp", "time"):
        # pandas would otherwise guess the format from the first row, but rows may have different numbers of digits.
        since = pd.to_datetime(values, format="ISO8601", utc=True) - pd.Timestamp(0, tz="UTC")
        return (since / pd.Timedelta(milliseconds=1)).to_numpy("float64")
    if type == "boolean":
        values = values.astype("string").str.lower().map({"true": 1, "false": 0})
    return pd.to_numeric(values).to_numpy("float64")


def inputs(path, table):
    """The inputs of the session for the rows of a pandas table."""
    result = {}
    precision = signature(path)["precision"]
    for value in signature(path)["inputs"]:
        if value.get("type") == "text":
            texts = table[value["column"]].astype(object)
            result[value["name"]] = texts.where(texts.notna(), "").astype(str).to_numpy(object)
        elif "column" in value:
            result[value["name"]] = numbers(table[value["column"]], value["type"])
        else:  # A tensor [N, D] of numbers. The last columns may be labels, which become the indices of their classes.
            classes = dict(zip(reversed(value["columns"]), reversed(value.get("labels", []))))
            columns = [
                table[name].astype(str).map({label: k for k, label in enumerate(classes[name])}) if name in classes else table[name]
                for name in value["columns"]
            ]
            result[value["name"]] = np.stack([numbers(column, "number") for column in columns], 1).astype(precision)
    return result


def log_density(path, table):
    """log p of each row in nats: -inf if a value is impossible, NaN if a value is missing in a column that had no missing values in training."""
    name = signature(path)["outputs"][0]["name"]
    if len(table) == 0:
        return np.empty(0)
    return session(path).run([name], inputs(path, table))[0].astype("float64")
`;

const dask = `"""Scores CSV files with density.onnx on Dask. Written by pushforward VERSION.

    python3 score_dask.py density.onnx "part-*.csv" scored [SCHEDULER]

or in a program, whose workers need this file (client.upload_file("score_dask.py")):

    from score_dask import read_csv, score
    scored = score(read_csv("density.onnx", "part-*.csv"), "density.onnx")

scored is the table with a column log_density. Every worker needs density.onnx at the same path.
"""

import json
import os
import sys

import numpy as np
import onnxruntime
import pandas as pd


COMMON


def column_types(path):
    """The types in which pandas reads the columns of the model. Dask would guess them from the first rows, and values may be missing only in later ones."""
    types = {}
    for value in signature(path)["inputs"]:
        if "column" in value:
            types[value["column"]] = "float64" if value["type"] in ("number", "integer") else object
        else:
            types.update(dict.fromkeys(value["columns"], "float64"))
            # The last columns may be labels.
            types.update(dict.fromkeys(value["columns"][len(value["columns"]) - len(value.get("labels", [])) :], object))
    return types


def read_csv(path, files):
    """A Dask table of CSV files. Texts stay as they are, so that 01 and NA are labels; only empty fields are missing."""
    import dask.dataframe as dd

    return dd.read_csv(
        files,
        dtype=column_types(path),
        keep_default_na=False,
        na_values=[""],
        float_precision="round_trip",
        assume_missing=True,
        blocksize=None,
    )


def score_partition(table, path):
    return table.assign(log_density=log_density(path, table))


def score(table, path):
    """The Dask table with a column log_density."""
    path = os.path.abspath(path)
    meta = table._meta.assign(log_density=np.empty(0))
    return table.map_partitions(score_partition, path, meta=meta)


def main(path, files, output, scheduler=None):
    from distributed import Client

    # Workers are processes with one thread: a session of ONNX Runtime computes on one core here.
    with Client(scheduler) if scheduler else Client(threads_per_worker=1) as client:
        client.upload_file(os.path.abspath(__file__))
        score(read_csv(path, files), path).to_csv(os.path.join(output, "part-*.csv"), index=False)


if __name__ == "__main__":
    import score_dask  # Workers import functions of a module by name, and cannot import those of __main__.

    score_dask.main(*sys.argv[1:])
`;

const spark = `"""Scores a table with density.onnx on Apache Spark. Written by pushforward VERSION. This file has not been tested on Spark.

    spark-submit --files density.onnx --py-files score_spark.py program.py

    from score_spark import score
    scored = score(spark.read.parquet("customers"), "density.onnx")

scored is the table with a column log_density. Dates and times have to be text in ISO 8601, or dates and timestamps of Spark.
"""

import json
import os

import numpy as np
import onnxruntime
import pandas as pd


COMMON


def make_predict(path, columns):
    """Makes the function that a Python worker calls with batches of columns: the session is created there, and not sent to it."""

    def make_predict_fn():
        from pyspark import SparkFiles

        local = path if os.path.exists(path) else SparkFiles.get(path)

        def predict(*arrays):
            return log_density(local, pd.DataFrame(dict(zip(columns, arrays))))

        return predict

    return make_predict_fn


def score(table, path, batch_size=4096):
    """The Spark table with a column log_density. The driver reads the names of the columns from the file at path."""
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql.types import DoubleType

    columns = input_columns(path)
    predict = predict_batch_udf(make_predict(path, columns), return_type=DoubleType(), batch_size=batch_size)
    return table.withColumn("log_density", predict(*[table[name] for name in columns]))
`;
