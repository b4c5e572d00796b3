"""Scores CSV files on two Dask workers, of which one is killed, and prints the versions and the time as JSON."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import dask
import onnxruntime
from distributed import Client, LocalCluster

import score_dask


def kill_a_worker(cluster, output, count, killed):
    """Kills a worker once half of the files are written, while others are being computed."""
    while not output.is_dir() or len(list(output.iterdir())) < count:
        time.sleep(0.01)
    process = next(iter(cluster.workers.values())).process.pid
    os.kill(process, signal.SIGKILL)
    killed.append(len(list(output.iterdir())))


if __name__ == "__main__":
    exported, files, output = sys.argv[1:]
    path = os.path.join(exported, "density.onnx")
    start = time.time()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.upload_file(score_dask.__file__)
        killed = []
        count = len(list(Path(files).parent.glob(Path(files).name))) // 2
        killer = threading.Thread(target=kill_a_worker, args=(cluster, Path(output), count, killed), daemon=True)
        killer.start()
        scored = score_dask.score(score_dask.read_csv(path, files), path)
        scored.to_csv(os.path.join(output, "part-*.csv"), index=False)
        killer.join()
    print(
        json.dumps(
            {
                "seconds": time.time() - start,
                "killed_after": killed[0],
                "dask": f"Dask {dask.__version__}",
                "onnxruntime": f"onnxruntime {onnxruntime.__version__} of Debian",
            }
        )
    )
