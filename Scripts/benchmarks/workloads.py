"""What is compared: networks, batches, optimizers, and the data they train on."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Workload:
    name: str
    sizes: tuple          # inputs, hidden widths, outputs
    batch: int
    optimizer: str        # sgd | momentum | adam
    rate: float
    loss: str             # cross_entropy | mse | bce
    activation: str = "relu"
    rows: int = 0         # rows in the data set; whole batches
    shuffled: bool = False
    float_per_row: int = field(default=0, compare=False)

    @property
    def parameters(self):
        return sum(f * d + d for f, d in zip(self.sizes, self.sizes[1:]))

    @property
    def flops_per_row(self):
        """Multiplications and additions of the three products; the first layer needs no input error."""
        products = [f * d for f, d in zip(self.sizes, self.sizes[1:])]
        return 2 * (3 * sum(products) - products[0])


WORKLOADS = [
    Workload("mlp512-b128-sgd", (784, 512, 512, 10), 128, "sgd", 0.05, "cross_entropy", rows=128 * 80),
    Workload("mlp512-b128-adam", (784, 512, 512, 10), 128, "adam", 1e-3, "cross_entropy", rows=128 * 80),
    Workload("mlp1024-b1024-sgd", (784, 1024, 1024, 10), 1024, "sgd", 0.05, "cross_entropy", rows=1024 * 8),
    Workload("mlp256-b32-momentum", (784, 256, 10), 32, "momentum", 0.01, "cross_entropy", rows=32 * 320),
    Workload("odd-b100-adam", (784, 300, 200, 37, 10), 100, "adam", 1e-3, "cross_entropy", "tanh", rows=100 * 100),
    Workload("small-b32-sgd", (32, 64, 64, 1), 32, "sgd", 0.01, "mse", "tanh", rows=32 * 1000),
    Workload("linear1000-b1024-sgd", (1000, 1), 1024, "sgd", 1e-3, "mse", rows=1024 * 64, shuffled=True),
    Workload("wide10000-b256-logistic", (10000, 1), 256, "sgd", 1e-3, "bce", rows=256 * 32),
]


def named(name):
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    raise SystemExit(f"no workload is called {name}; there are {', '.join(w.name for w in WORKLOADS)}")


def make_data(workload):
    """Inputs, targets and first weights, the same for every system."""
    random = np.random.Generator(np.random.Philox(20))
    x = random.standard_normal((workload.rows, workload.sizes[0]), dtype=np.float32)
    outputs = workload.sizes[-1]
    teacher = random.standard_normal((workload.sizes[0], outputs), dtype=np.float32) / np.sqrt(workload.sizes[0])
    signal = x @ teacher
    if workload.loss == "cross_entropy":
        y = np.argmax(signal, axis=1).astype(np.int32)
    elif workload.loss == "bce":
        y = (signal > 0).astype(np.float32)
    else:
        y = signal.astype(np.float32)
    weights = []
    for inputs, units in zip(workload.sizes, workload.sizes[1:]):
        limit = np.sqrt(6 / (inputs + units))
        weights.append(random.uniform(-limit, limit, (inputs, units)).astype(np.float32))
    return x, y, weights


def write_data(workload, path):
    import h5py

    x, y, weights = make_data(workload)
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = x, y
        for index, weight in enumerate(weights):
            file[f"weights/{index}"] = weight


def read_data(path):
    import h5py

    with h5py.File(path, "r") as file:
        weights = [file[f"weights/{index}"][()] for index in range(len(file["weights"]))]
        return file["x"][()], file["y"][()], weights
