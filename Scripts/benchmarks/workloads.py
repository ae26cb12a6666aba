"""What is compared: networks, batches, optimizers."""

from dataclasses import dataclass, replace


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
    precision: str = "float32"   # Treadle's; peers have a system for each form

    @property
    def flops_per_row(self):
        """Multiplications and additions of the three products; the first layer needs no input error."""
        products = [f * d for f, d in zip(self.sizes, self.sizes[1:])]
        return 2 * (3 * sum(products) - products[0])

    @property
    def bytes_per_row(self):
        """What has to come from memory at least: a row of Float32. Weights stay in caches."""
        return 4 * self.sizes[0]

    @property
    def parameters(self):
        return sum(f * d + d for f, d in zip(self.sizes, self.sizes[1:]))


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


# Where the matrix unit counts: the wide ones of the above, and one that is wider.
BFLOAT16 = [replace(w, precision="bfloat16") for w in WORKLOADS[:4]] + [
    Workload("mlp4096-b512-sgd", (784, 4096, 4096, 10), 512, "sgd", 0.02, "cross_entropy", rows=512 * 4,
             precision="bfloat16"),
]


def named(name):
    for workload in WORKLOADS + BFLOAT16[-1:]:
        if workload.name == name:
            return workload
    raise SystemExit(f"no workload is called {name}; there are {', '.join(w.name for w in WORKLOADS)}")
