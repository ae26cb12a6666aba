#!/usr/bin/env python3
"""Writes the chunks that Scripts/fuzz begins with, into Tests/Fuzz/chunks: each filter's own, and small.

Usage: Tests/Fuzz/seeds.py   Needs h5py and hdf5plugin. The files are committed; run it again when a filter is added.
"""
import os
import tempfile

import h5py
import hdf5plugin
import numpy as np

PLACES = {1: 0, 2: 1, 3: 2, 32000: 3, 32001: 4, 32004: 5, 32008: 6, 32015: 7}
FORMS = {
    "deflate": dict(compression="gzip"),
    "shuffle-deflate": dict(compression="gzip", shuffle=True),
    "fletcher32": dict(fletcher32=True),
    "deflate-fletcher32": dict(compression="gzip", fletcher32=True),
    "lzf": dict(compression="lzf"),
    "shuffle-lzf": dict(compression="lzf", shuffle=True),
    "lz4": dict(hdf5plugin.LZ4()),
    "zstd": dict(hdf5plugin.Zstd()),
    "bitshuffle": dict(hdf5plugin.Bitshuffle(cname="none")),
    "bitshuffle-lz4": dict(hdf5plugin.Bitshuffle(cname="lz4")),
    "bitshuffle-zstd": dict(hdf5plugin.Bitshuffle(cname="zstd")),
}
for name in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
    for shuffle, word in ((0, "plain"), (1, "shuffled"), (2, "bits")):
        FORMS[f"blosc-{name}-{word}"] = dict(hdf5plugin.Blosc(cname=name, shuffle=shuffle))


def main():
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chunks")
    rows = (np.arange(160, dtype="f4").reshape(40, 4) * 7 % 13).astype("f4")
    with tempfile.TemporaryDirectory() as directory:
        for name, form in FORMS.items():
            with h5py.File(os.path.join(directory, "a.h5"), "w") as file:
                data = file.create_dataset("x", data=rows, chunks=rows.shape, **form)
                mask, chunk = data.id.read_direct_chunk((0, 0))
                pipeline = data.id.get_create_plist()
                filters = [pipeline.get_filter(i) for i in range(pipeline.get_nfilters())]
            order = bytes([len(filters) - 1])
            for number, _, parameters, _ in filters:
                values = [min(value, 249) for value in parameters[:8]]
                order += bytes([PLACES[number], len(values), *values])
            order += bytes([mask & 0xff]) + rows.nbytes.to_bytes(2, "little")
            with open(os.path.join(place, name), "wb") as file:
                file.write(order + chunk)


if __name__ == "__main__":
    main()
