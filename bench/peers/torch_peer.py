"""A contestant of bench/peers.ts on PyTorch: zuko, nflows, normflows or a MAF by hand. README.md has the protocol.

usage: python3 torch_peer.py {zuko,nflows,normflows,torch} [--threads 2]
       python3 torch_peer.py images --models FOLDER [--threads 2]    the flows of bench/images/speed.ts
"""

import argparse
import ctypes
import json
import sys
import time

import torch

from torch_by_hand import ByHand
from torch_images import Images
from torch_libraries import NFlows, NormFlows, Zuko

LIBRARIES = {"zuko": Zuko, "nflows": NFlows, "normflows": NormFlows, "torch": ByHand, "images": Images}


def keep_freed_memory():
    """Frees an array of 31 MB, after which glibc no longer returns freed arrays of up to this size to the system.

    Otherwise PyTorch spends up to half of its time with 10,000 rows on page faults.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def blas_kernel():
    """The processor type that OpenBLAS chose its kernels for, such as SkylakeX; it decides the speed of products."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as maps:
        libraries = sorted({line.split()[-1] for line in maps if "blas" in line.lower()})
    for library in libraries:
        try:
            name = ctypes.CDLL(library).openblas_get_corename
        except (AttributeError, OSError):
            continue
        name.restype = ctypes.c_char_p
        return name().decode()
    return "not OpenBLAS"


def rows_of(library, count, features):
    rows = getattr(library, "rows", torch.randn)
    return rows(count, features)


def training_step(library, flow, case):
    batch = case["batch"]
    data = rows_of(library, 4 * batch, case["dim"])
    order = torch.randperm(len(data))
    optimizer = library.optimizer(flow.parameters())
    step = 0

    def train():
        nonlocal step
        start = step % 4 * batch
        step += 1
        loss = -library.log_prob(flow, data[order[start : start + batch]]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return train


def job_of(library, case):
    flow = library.build(case)
    if case["job"] == "train":
        return training_step(library, flow, case)
    rows = case["rows"]
    data = rows_of(library, rows, case["dim"])
    job = (lambda: library.log_prob(flow, data)) if case["job"] == "logProb" else (lambda: library.sample(flow, rows))
    return torch.no_grad()(job)


def timed(job):
    start = time.perf_counter()
    job()
    return (time.perf_counter() - start) * 1e3


def answer(library, jobs, request):
    case, repeats, budget, warm_up = (request[key] for key in ("case", "repeats", "budgetMs", "warmUpMs"))
    start_ms = 0
    if case["name"] not in jobs:
        start = time.perf_counter()
        try:
            job = job_of(library, case)
        except KeyError as missing:
            return {"unsupported": f"no {missing.args[0]}"}
        job()
        start_ms = (time.perf_counter() - start) * 1e3
        jobs[case["name"]] = job
    job = jobs[case["name"]]
    spent = timed(job)
    if spent < budget / 10:
        while spent < warm_up:
            spent += timed(job)
    times = []
    while len(times) < repeats and sum(times) <= budget:
        times.append(timed(job))
    return {"times": times, "startMs": start_ms}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("library", choices=list(LIBRARIES))
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--models", help="the folder of the model files of images")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    keep_freed_memory()
    library = LIBRARIES[options.library](*([options.models] if options.models else []))
    versions = {**library.versions, "torch": torch.__version__, "BLAS kernel": blas_kernel()}
    say({"peer": options.library, "versions": versions})
    jobs = {}
    for line in sys.stdin:
        try:
            say(answer(library, jobs, json.loads(line)))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


def say(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
