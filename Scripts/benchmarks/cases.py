"""A workload with the files it trains on, written once and read by every system."""

import contextlib
import gzip
import importlib.util
import json
import os
from dataclasses import asdict, dataclass, field

import h5py
import numpy as np

from workloads import Workload

PICTURES = "/usr/share/datasets/fashion-mnist"


@dataclass(frozen=True)
class Case:
    workload: Workload
    train: str
    weights: str
    test: str = None
    settings: dict = field(default_factory=dict, hash=False)  # of Treadle's data section

    def text(self):
        return json.dumps(asdict(self))

    @staticmethod
    def parse(text):
        fields = json.loads(text)
        workload = fields.pop("workload")
        return Case(Workload(**{**workload, "sizes": tuple(workload["sizes"])}), **fields)


def philox(number):
    return np.random.Generator(np.random.Philox(number))


@contextlib.contextmanager
def made_up(workload, directory, settings=None):
    """A case on generated data, whose files are removed afterwards."""
    random, outputs = philox(20), workload.sizes[-1]
    x = random.standard_normal((workload.rows, workload.sizes[0]), dtype=np.float32)
    teacher = random.standard_normal((workload.sizes[0], outputs), dtype=np.float32) / np.sqrt(workload.sizes[0])
    signal = x @ teacher
    if workload.loss == "cross_entropy":
        y = np.argmax(signal, axis=1).astype(np.int32)
    elif workload.loss == "bce":
        y = (signal > 0).astype(np.float32)
    else:
        y = signal.astype(np.float32)
    path = f"{directory}/{workload.name}.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = x, y
    del x, signal
    weights = write_weights(workload, directory)
    try:
        yield Case(workload, path, weights, settings=settings or {})
    finally:
        os.remove(path)
        os.remove(weights)


def write_weights(workload, directory):
    """First weights, the same for every system."""
    random, path = philox(21), f"{directory}/{workload.name}.weights.h5"
    with h5py.File(path, "w") as file:
        for index, (inputs, units) in enumerate(zip(workload.sizes, workload.sizes[1:])):
            limit = np.sqrt(6 / (inputs + units))
            file[f"weights/{index}"] = random.uniform(-limit, limit, (inputs, units)).astype(np.float32)
    return path


def read_data(path):
    with h5py.File(path, "r") as file:
        return file["x"][()], file["y"][()]


def read_weights(path):
    with h5py.File(path, "r") as file:
        return [file[f"weights/{index}"][()] for index in range(len(file["weights"]))]


def has_pictures():
    return os.path.exists(f"{PICTURES}/train-images-idx3-ubyte.gz")


def pictures(part, directory):
    """Fashion-MNIST as Float32 from 0 to 1 in a contiguous file; made-up pictures where Debian's package is missing."""
    path = f"{directory}/{part}.h5"
    if os.path.exists(path):
        return path
    if has_pictures():
        stored = {"train": "train", "test": "t10k"}[part]
        with gzip.open(f"{PICTURES}/{stored}-images-idx3-ubyte.gz") as file:
            x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
        with gzip.open(f"{PICTURES}/{stored}-labels-idx1-ubyte.gz") as file:
            y = np.frombuffer(file.read(), np.uint8, offset=8)
    else:
        random = philox({"train": 1, "test": 2}[part])
        rows = {"train": 60_000, "test": 10_000}[part]
        y = random.integers(0, 10, rows)
        # Half of the pixels dark, as in pictures: noise would not compress at all.
        x = random.integers(0, 256, (rows, 784), dtype=np.uint8) * random.integers(0, 2, (rows, 784), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = x.astype(np.float32) / np.float32(255), y.astype(np.int32)
    return path


def codecs():
    """How h5py is told to compress, by name; more where hdf5plugin is installed."""
    forms = {"gzip": {"compression": "gzip", "shuffle": True}, "lzf": {"compression": "lzf", "shuffle": True}}
    if importlib.util.find_spec("hdf5plugin"):
        import hdf5plugin
        forms |= {"zstd": {"compression": hdf5plugin.Zstd(), "shuffle": True},
                  "lz4": {"compression": hdf5plugin.LZ4(), "shuffle": True},
                  "bitshuffle": {"compression": hdf5plugin.Bitshuffle()}, "blosc": {"compression": hdf5plugin.Blosc()}}
    return forms


def compressed(path, codec="gzip"):
    """A copy in chunks of 500 rows."""
    copy = path.replace(".h5", f".{codec}.h5")
    if not os.path.exists(copy):
        with h5py.File(path, "r") as source, h5py.File(copy, "w") as file:
            x = source["x"][()]
            file.create_dataset("x", data=x, chunks=(500, x.shape[1]), **codecs()[codec])
            file["y"] = source["y"][()]
    return copy


def repeated(path, times, codec=None):
    """A copy with every row several times, stored as it was, by the codec it was compressed with: more than caches hold."""
    copy = path.replace(".h5", f".{times}x.h5")
    with h5py.File(path, "r") as source, h5py.File(copy, "w") as file:
        x, y = source["x"], source["y"][()]
        form = {"chunks": x.chunks, **codecs()[codec]} if codec else {}
        all_x = file.create_dataset("x", (len(x) * times, x.shape[1]), x.dtype, **form)
        for start in range(0, len(all_x), len(x)):
            if codec:  # as they are: compressing takes much longer
                for row in range(0, len(x), x.chunks[0]):
                    mask, chunk = x.id.read_direct_chunk((row, 0))
                    all_x.id.write_direct_chunk((start + row, 0), chunk, mask)
            else:
                all_x[start:start + len(x)] = x[()]
        file["y"] = np.tile(y, times)
    return copy


def sparse(rows, columns, directory):
    """Bytes of zero that take no room on the disk: HDF5 allocates them and never writes them."""
    path = f"{directory}/sparse-{rows}.h5"
    with h5py.File(path, "w") as file:
        for name, shape in (("x", (rows, columns)), ("y", (rows, 1))):
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_UINT8, h5py.h5s.create_simple(shape), creation)
    return path
