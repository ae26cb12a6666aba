#!/usr/bin/env python3
"""Writes what Scripts/fuzz begins with into Tests/Fuzz/seeds: small files of each kind, as other programs write them.

Usage: Tests/Fuzz/seeds.py   Needs h5py and hdf5plugin. The files are committed; run it again when a form is added.
"""
import hashlib
import io
import json
import os
import struct
import tempfile
import zipfile

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


PLACE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")

JSON5 = {
    "small": "{ name: 'a', data: { train: 'a.h5' }, model: { hidden: [{ units: 4 }] } }",
    "comments": "// one\n/* two */ { \"name\": \"b\", data: { train: { files: [\"b.h5\",], x: '/x' }, valid: { fraction: .2 } },\n"
                "model: { hidden: [], }, optimizer: { type: 'adamw', lr: 1e-3, weight_decay: +0.01 }, seed: 0x1F, }",
    "texts": "{ name: 'a\\u00e9\\x41\\\n\\'\\0', \"loss\": { type: \"quantile\" }, stop: { wall_time: '1h30m', epochs: Infinity } }",
    "wrong": "{ name: NaN, data: [[[[1, -2.5e+3, null, true]]]], shufle: \"full\", name: 2 }",
}
TABLES = {
    "numbers": "a,b,c\n1,2.5,0\n-3,4e2,1\n,nan,0\n5,6,1\n",
    "words": "day;name;price;class\n2024-01-05;\"x; y\";1.234,5;yes\n2024-02-06;\"he said \"\"no\"\"\";7,25;no\n",
    "tabs": "1\t2\t3\n4\t5\t6\r\n7\t8\t9",
    "mark": "\ufeffid,when,flag,y\n1,31/12/2024 23:59,True,a\n2,01/01/2025 00:00,False,b\n\n3,,true,a\n",
    "lines": "a,b\n\"two\nlines\",1\n\"\",2\n$1,3\n1 000,4\n12%,5\n",
}
SCHEMA = {
    "version": 1, "unused": [{"name": "id", "reason": "an identifier"}],
    "targets": [{"name": "y", "classes": ["no", "yes"], "form": {"decimalComma": False}}],
    "columns": [
        {"name": "a", "kind": {"number": {"form": {"decimalComma": True, "thousands": ".", "sign": "$"}, "indicator": True}}},
        {"name": "b", "kind": {"flag": {"no": "f", "yes": "t"}}},
        {"name": "c", "kind": {"category": {"values": ["u", "v"], "hasOther": True, "hasMissing": False}}},
        {"name": "d", "kind": {"date": {"parts": ["days", "year"], "origin": "2020-01-01", "format": "Y-m-d"}}},
    ],
}


def main():
    for reader, seeds in {
        "chunks": chunks(), "chunktree": chunk_trees(), "npy": numpy_arrays(), "zip": archives(), "idx": idx(),
        "userblock": checkpoints(), "schema": {"all-kinds": json.dumps(SCHEMA).encode()},
        "json5": {name: text.encode() for name, text in JSON5.items()},
        "table": {name: text.encode() for name, text in TABLES.items()},
    }.items():
        os.makedirs(os.path.join(PLACE, reader), exist_ok=True)
        for name, content in seeds.items():
            with open(os.path.join(PLACE, reader, name), "wb") as file:
                file.write(content)


def chunks():
    """An order of filters, as chunks.c reads it, and a chunk that has been through them."""
    rows = (np.arange(160, dtype="f4").reshape(40, 4) * 7 % 13).astype("f4")
    seeds = {}
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
            seeds[name] = order + chunk
    return seeds


def chunk_trees():
    """A rank, the place of an object header, a number of chunks, and the file that has them."""
    seeds = {}
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.h5")
        for rank, extent, side, late in [(1, 40, 8, False), (2, 6, 2, False), (1, 40, 8, True)]:
            with h5py.File(path, "w") as file:
                x = file.create_dataset("x", (extent,) * rank, "u1", chunks=(side,) * rank, track_times=late)
                x[...] = 1
                for name in "abcdefgh" if late else "":  # which a continuation of the header holds
                    x.attrs[name] = name * 40
                header, count = h5py.h5o.get_info(x.id).addr, x.id.get_num_chunks()
            with open(path, "rb") as file:
                seeds[f"rank-{rank}{'-continued' if late else ''}"] = struct.pack("<BHB", rank, header, count) + file.read()
    return seeds


def numpy_arrays():
    return {name: saved(array) for name, array in {
        "f4": np.ones((3, 2), "f4"), "columns": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        "bool": np.array([True, False]), "texts": np.array(["a", "bcd"]), "bytes": np.array([b"a", b"bcd"]),
        "u8": np.array([[2**64 - 1]], "u8"), "half": np.zeros((1, 2, 2), "f2"), "one": np.array(5.0),
    }.items()}


def saved(array):
    with io.BytesIO() as file:
        np.save(file, array)
        return file.getvalue()


def archives():
    seeds = {}
    for name, save in {"plain": np.savez, "packed": np.savez_compressed}.items():
        with io.BytesIO() as file:
            save(file, x=np.arange(8, dtype="f4").reshape(4, 2), y=np.array([0, 1, 1, 0], "u1"))
            seeds[name] = file.getvalue()
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", TABLES["numbers"])
            with archive.open("more.npy", "w", force_zip64=True) as entry:
                entry.write(saved(np.zeros(3)))
            archive.comment = b"a comment"
        seeds["table"] = file.getvalue()
    return seeds


def idx():
    return {
        "images": struct.pack(">HBBIII", 0, 8, 3, 2, 3, 3) + bytes(range(18)),
        "labels": struct.pack(">HBBI", 0, 8, 1, 4) + bytes([7, 2, 1, 0]),
        "doubles": struct.pack(">HBBII", 0, 14, 2, 1, 2) + struct.pack(">dd", 0.5, -1),
    }


def checkpoints():
    """What is to be put right, and a file behind its header."""
    image = b"an image"
    head = b"\x89TREADLE\r\n\x1a\n" + struct.pack("<IQ", 1, len(image)) + hashlib.sha256(image).digest()
    head += b"0.1.0".ljust(24, b"\0")
    whole = (head + hashlib.sha256(head).digest()).ljust(512, b"\0") + image
    return {"as-it-is": b"\1" + whole, "sealed": b"\0" + whole, "header-sealed": b"\2" + whole}


if __name__ == "__main__":
    main()
