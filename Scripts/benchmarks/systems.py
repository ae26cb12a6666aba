"""The systems that are compared, each a process that trains when it is told to."""

import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build/release"
PATIENCE = 600  # seconds until a system that says nothing is given up


class SystemFailed(Exception):
    pass


class System:
    """`first_seconds` is from the start of the process, with everything it loads and compiles, to its first step."""

    def __init__(self, name, case, cores, command=None):
        self.name = name
        self.errors = tempfile.TemporaryFile()
        if command is None:
            own = name.startswith("treadle")
            command = treadle_command(name, case, len(cores)) if own else peer_command(name, case)
        pinned = ["taskset", "-c", ",".join(map(str, cores))] + command
        begun = time.perf_counter()
        self.process = subprocess.Popen(pinned, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=environment(len(cores)), bufsize=0)
        self.rest = b""
        try:
            self.answer("started")
            self.first_seconds = time.perf_counter() - begun
            ready = self.answer("ready")
        except SystemFailed:
            self.close()
            raise
        self.losses, self.version = ready["losses"], ready["version"]

    def tell(self, *words):
        """Sends a command and returns its answer."""
        try:
            self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        except OSError:
            pass  # it has ended: the answer says how
        return self.answer()

    def answer(self, key=None):
        while True:
            while b"\n" not in self.rest:
                if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                    raise SystemFailed(f"said nothing for {PATIENCE} s")
                more = os.read(self.process.stdout.fileno(), 65536)
                if not more:
                    raise SystemFailed(f"ended with code {self.process.wait()}: {self.last_error()}")
                self.rest += more
            line, self.rest = self.rest.split(b"\n", 1)
            # A library may print what nobody asked for.
            if line.startswith(b"{") and (key is None or key in json.loads(line)):
                return json.loads(line)

    def last_error(self):
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "no message"

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def environment(threads):
    """Nothing that slows a peer down, and as many threads for everyone."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("OPENBLAS_", "MKL_", "OMP_", "KMP_", "GOMP_", "XLA_", "JAX_", "TREADLE_"))}
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        kept[variable] = str(threads)
    return kept | {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}


def peer_command(name, case):
    return [sys.executable, str(HERE / "peer.py"), name, case.text()]


def treadle_command(name, case, threads):
    """`treadle` computes in the workload's precision, `treadle-float32` in that."""
    path = case.weights.replace(".weights.h5", f".{name}.json5")
    precision = name.partition("-")[2] or case.workload.precision
    pathlib.Path(path).write_text(json.dumps(configuration(case, precision), indent=1))
    return [str(RELEASE / "TreadleBenchmarks"), "peer", path, case.weights, str(threads)]


def configuration(case, precision="float32"):
    """The case as Treadle is told it."""
    workload = case.workload
    optimizer = {"type": "sgd", "momentum": 0.9} if workload.optimizer == "momentum" else {"type": workload.optimizer}
    return {
        "name": "benchmark",
        "task": {"cross_entropy": "classification", "bce": "multilabel"}.get(workload.loss, "regression"),
        "data": {"train": {"files": [case.train]}, "valid": None, "batch_size": workload.batch, "drop_last": True,
                 "shuffle": "full" if workload.shuffled else "none", "normalize": "none",
                 "test": {"files": [case.test]} if case.test else None} | case.settings,
        "model": {"hidden": [{"units": units, "activation": workload.activation} for units in workload.sizes[1:-1]],
                  "precision": precision},
        "optimizer": optimizer | {"lr": workload.rate},
        "stop": {"early": None},
    }
