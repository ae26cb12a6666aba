"""What the machine is and what it can do at most."""

import json
import platform
import subprocess

from systems import RELEASE


def speed(cores):
    """By `treadle bench`: GFLOP/s of multiply-adds, GB/s from memory, and seconds to hand work to all threads."""
    command = ["taskset", "-c", ",".join(map(str, cores)), str(RELEASE / "treadle"), "bench", "--machine", "--json",
               "--threads", str(len(cores))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def family():
    """The CPU's maker and family, and what tells its generations apart where one family has several.

    Intel has given all its servers since 2006 one family, where the model says more. AMD's family 25 is Zen 3 and Zen 4, of
    which the second alone has AVX-512.
    """
    said = {}
    for line in open("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        said.setdefault(name.strip(), value.strip())
    maker, number = said.get("vendor_id", platform.machine()), said.get("cpu family", "")
    if maker == "GenuineIntel":
        number += "/" + said.get("model", "")
    if (maker, number) == ("AuthenticAMD", "25") and "avx512f" in said.get("flags", "").split():
        number += " with AVX-512"
    return f"{maker} {number}".strip()


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
