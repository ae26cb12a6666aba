#!/usr/bin/env python3
"""Predicts how training scales over ranks, from a network's latency and bandwidth.

Without --latency and --bandwidth they are fitted to messages over this machine's loopback (needs mpicc and mpirun).
What it prints is a prediction by the model below, not a measurement.

A rank computes its rows in `6 P b / flops`, b being the rows a rank has. Its share of the gradient, 4 P bytes, goes out
by an all-to-all, and the weights come in by an all-gather: (R - 1) / R of 4 P bytes each way. A bucket, which is of half a
MiB to 4 but of 4 tiles of 32 KiB a rank at least, costs a message to every other rank. All buckets of the gradient but the
last travel while the tiles after them are summed, a third of the computation. A small all-gather of the losses comes first,
in log2 R messages. That the losses travel with the gradient, and weights while gradients are still under way, is left out:
the prediction errs on the slow side there.
"""

import argparse
import math
import os
import subprocess
import tempfile

MODELS = {
    "784-512-512-10": [784, 512, 512, 10],
    "784-1024-1024-10": [784, 1024, 1024, 10],
    "4096-4096-4096-1000": [4096, 4096, 4096, 1000],
}


def measured():
    """(bytes, seconds) of messages over loopback."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "exchange.c")
    with tempfile.TemporaryDirectory() as place:
        program = os.path.join(place, "exchange")
        subprocess.run(["mpicc", "-O2", source, "-o", program], check=True)
        environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        command = ["mpirun", "-n", "2", "--oversubscribe", "--mca", "btl", "tcp,self",
                   "--mca", "btl_tcp_if_include", "lo", program]
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return [(int(size), float(seconds)) for size, seconds in map(str.split, output.splitlines())]


def fitted(points):
    """Latency and seconds a byte of seconds = latency + bytes · rate, each error counted relative to its measurement."""
    weights = [1 / seconds**2 for _, seconds in points]
    total = sum(weights)
    mean_size = sum(w * n for w, (n, _) in zip(weights, points)) / total
    mean_time = sum(w * t for w, (_, t) in zip(weights, points)) / total
    rate = sum(w * (n - mean_size) * (t - mean_time) for w, (n, t) in zip(weights, points)) / sum(
        w * (n - mean_size) ** 2 for w, (n, _) in zip(weights, points)
    )
    return mean_time - rate * mean_size, rate


def step(parameters, rows, ranks, latency, rate, flops):
    """Seconds of a step on `ranks` ranks with `rows` rows each."""
    compute = 6 * parameters * rows / flops
    if ranks == 1:
        return compute
    tiles = math.ceil(4 * parameters / (1 << 15))
    buckets = math.ceil(tiles / max(4 * ranks, min(128, max(16, tiles // 8))))
    travel = buckets * (ranks - 1) * latency + (ranks - 1) / ranks * 4 * parameters * rate
    hidden = min(travel * (buckets - 1) / buckets, compute / 3)
    return compute + math.log2(ranks) * latency + travel - hidden + travel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, help="microseconds a message")
    parser.add_argument("--bandwidth", type=float, help="gigabits a second")
    parser.add_argument("--rows", type=int, default=1024, help="rows of a batch that each rank computes")
    parser.add_argument("--gflops", type=float, default=400, help="what a rank's cores compute together")
    given = parser.parse_args()
    if given.latency and given.bandwidth:
        latency, rate = given.latency * 1e-6, 8 / (given.bandwidth * 1e9)
    else:
        points = measured()
        latency, rate = fitted(points)
        print("bytes      measured      fitted")
        for size, seconds in points:
            print(f"{size:9d} {seconds * 1e6:10.1f} µs {(latency + size * rate) * 1e6:10.1f} µs")
    print(f"latency {latency * 1e6:.1f} µs, bandwidth {8e-9 / rate:.1f} Gbit/s, {given.gflops:g} GFLOP/s a rank, "
          f"{given.rows} rows a rank\n")
    print(f"{'predicted share of linear':26s}" + "".join(f"{2**k:>7d}" for k in range(1, 11)))
    for name, widths in MODELS.items():
        parameters = sum((a + 1) * b for a, b in zip(widths, widths[1:]))
        alone = step(parameters, given.rows, 1, latency, rate, given.gflops * 1e9)
        shares = [alone / step(parameters, given.rows, 2**k, latency, rate, given.gflops * 1e9) for k in range(1, 11)]
        print(f"{name:26s}" + "".join(f"{100 * share:6.0f}%" for share in shares))


if __name__ == "__main__":
    main()
