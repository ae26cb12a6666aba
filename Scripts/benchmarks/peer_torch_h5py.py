"""PyTorch's DataLoader over h5py: row by row, as tutorials have it, and in its strongest form."""

import time

import h5py
import numpy as np
import torch

from cases import read_weights
from peer_torch import Torch
from trainer import FIRST_STEPS


class Rows(torch.utils.data.Dataset):
    """Opens its file in whichever process reads from it: h5py's handles do not survive a fork."""

    def __init__(self, path, cache):
        self.path, self.cache, self.file = path, cache, None
        with h5py.File(path, "r") as file:
            self.count = len(file["x"])

    def open(self):
        if self.file is None:
            self.file = h5py.File(self.path, "r", rdcc_nbytes=self.cache, rdcc_nslots=100_003)
            self.x, self.y = self.file["x"], self.file["y"]

    def __len__(self):
        return self.count

    def __getitem__(self, row):
        self.open()
        return self.x[row], np.int64(self.y[row])


class SortedRows(Rows):
    """A whole batch in one read, its rows in the order of the file, which is what h5py can do fastest."""

    def open(self):
        if self.file is None:
            super().open()
            if self.x.chunks:  # the cache is filled before anything is timed
                for start in range(0, self.count, self.x.chunks[0]):
                    self.x[start]

    def __getitem__(self, rows):
        self.open()
        rows = np.sort(rows)
        return torch.from_numpy(self.x[rows]), torch.from_numpy(self.y[rows].astype(np.int64))


class FromFile(Torch):
    """Batches come from the file, epoch after epoch, by the worker processes that `workers` says."""

    workers = 0
    batchwise = False

    def __init__(self, case):
        self.workload = case.workload
        # h5py's default for single rows; for whole batches, chunks are kept as long as all of the data need.
        self.rows = SortedRows(case.train, 1 << 30) if self.batchwise else Rows(case.train, 1 << 20)
        # The first batches alone, and the file closed again: HDF5 would give the cache of a file that is open already.
        with h5py.File(case.train, "r") as file:
            first = slice(FIRST_STEPS * case.workload.batch)
            self.prepare(file["x"][first], file["y"][first], read_weights(case.weights))
        self.stream = None

    def batches_forever(self):
        data = torch.utils.data
        kind = data.RandomSampler if self.workload.shuffled else data.SequentialSampler
        batches = data.BatchSampler(kind(self.rows), self.workload.batch, drop_last=True)
        options = {"num_workers": self.workers, "persistent_workers": self.workers > 0}
        if self.batchwise:
            loader = data.DataLoader(self.rows, batch_size=None, sampler=batches, **options)
        else:
            loader = data.DataLoader(self.rows, batch_sampler=batches, **options)
        while True:
            yield from loader

    def take(self, seconds, use):
        self.stream = self.stream or self.batches_forever()
        begun, samples = time.perf_counter(), 0
        while True:
            x, y = next(self.stream)
            use(x, y)
            samples += len(x)
            if time.perf_counter() - begun >= seconds:
                return samples

    def train(self, seconds):
        return self.take(seconds, self.step)

    def read(self, seconds):
        return self.take(seconds, lambda x, y: x.sum())


class RowByRow0(FromFile):
    pass


class RowByRow2(FromFile):
    workers = 2


class BatchByBatch0(FromFile):
    batchwise = True


class BatchByBatch2(FromFile):
    workers = 2
    batchwise = True
