"""One peer on one case, driven line by line on standard input.

    peer.py SYSTEM CASE

says {"started": …} after its first step and {"ready": …} with the losses of its first 20; then each line is answered:

    run SECONDS               trains for at least so long
    read SECONDS              takes batches and adds up every value, without training
    accuracy TARGET EPOCHS    trains anew until so much of the test set is right
    save PATH, sync PATH      writes a checkpoint as the system does; and makes it survive a power cut
    load PATH                 reads it
"""

import importlib
import json
import os
import sys
import time

from cases import Case, read_data
from trainer import FIRST_STEPS

SYSTEMS = {
    "jax-scan": ("peer_jax", "JaxScan"), "jax-step": ("peer_jax", "JaxStep"),
    "torch": ("peer_torch", "Torch"), "torch-compile": ("peer_torch", "TorchCompiled"),
    "torch-loader-0": ("peer_torch_h5py", "RowByRow0"), "torch-loader-2": ("peer_torch_h5py", "RowByRow2"),
    "torch-batches-0": ("peer_torch_h5py", "BatchByBatch0"), "torch-batches-2": ("peer_torch_h5py", "BatchByBatch2"),
    "torch-autocast": ("peer_torch", "TorchAutocast"),
    "torch-autocast-compile": ("peer_torch", "TorchAutocastCompiled"),
    "torch-bf16": ("peer_torch", "TorchPure"), "torch-bf16-compile": ("peer_torch", "TorchPureCompiled"),
    "jax-bf16": ("peer_jax", "JaxScanMixed"),
    "keras": ("peer_keras", "Keras"), "scikit-learn": ("peer_sklearn", "ScikitLearn"),
}


def main():
    module, name = SYSTEMS[sys.argv[1]]
    case = Case.parse(sys.argv[2])
    trainer = getattr(importlib.import_module(module), name)(case)
    losses = trainer.first_losses(1)
    answer({"started": sys.argv[1]})
    losses = trainer.first_losses(FIRST_STEPS)
    answer({"ready": sys.argv[1], "losses": losses, "version": trainer.version()})
    for line in sys.stdin:
        command, *words = line.split()
        answer(COMMANDS[command](trainer, case, *words))


def answer(value):
    print(json.dumps(value), flush=True)


def run(trainer, case, seconds):
    if not getattr(trainer, "is_warm", False):
        trainer.is_warm = True
        trainer.train(0)  # whatever is compiled at first use
    return timed(trainer.train, seconds)


def read(trainer, case, seconds):
    return timed(trainer.read, seconds)


def timed(work, seconds):
    begun = time.perf_counter()
    samples = work(float(seconds))
    return {"samples": samples, "seconds": time.perf_counter() - begun,
            "peak_bytes": peak_bytes()}


def peak_bytes():
    """Not getrusage's: that begins with what the parent had before exec."""
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def accuracy(trainer, case, target, epochs):
    """Seconds of training, compiling included and evaluations left out."""
    x, y = read_data(case.test)
    trainer.reset()
    seconds, epoch, right = 0.0, 0, 0.0
    while epoch < int(epochs) and right < float(target):
        begun = time.perf_counter()
        trainer.epoch()
        seconds += time.perf_counter() - begun
        epoch += 1
        right = float((trainer.classes(x) == y).mean())
    return {"seconds": seconds, "epochs": epoch, "accuracy": right}


def save(trainer, case, path):
    begun = time.perf_counter()
    trainer.save(path)
    return {"seconds": time.perf_counter() - begun, "bytes": os.path.getsize(path)}


def sync(trainer, case, path):
    begun = time.perf_counter()
    trainer.save(path)
    for place in (path, os.path.dirname(path)):
        descriptor = os.open(place, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return {"seconds": time.perf_counter() - begun, "bytes": os.path.getsize(path)}


def load(trainer, case, path):
    begun = time.perf_counter()
    trainer.load(path)
    return {"seconds": time.perf_counter() - begun}


COMMANDS = {"run": run, "read": read, "accuracy": accuracy, "save": save, "sync": sync, "load": load}

if __name__ == "__main__":
    main()
