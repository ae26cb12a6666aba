"""How much is measured."""

import os
from dataclasses import dataclass, field

import machine


@dataclass
class Plan:
    quick: bool
    rounds: int
    seconds: float        # of one run of one system
    cores: list           # the cores that may be used, by number
    counts: list          # how many of them are measured with
    directory: str        # for data
    workloads: list = None
    peers: list = None
    tables: list = None
    speeds: dict = field(default_factory=dict)

    def using(self, count):
        return self.cores[:count]

    def chosen(self, peers):
        """Which of a section's peers are asked for; all of them unless some are named."""
        return [name for name in peers if not self.peers or name in self.peers]

    @property
    def all(self):
        return self.using(len(self.cores))

    def speed(self, count):
        """The machine's, with so many cores; measured once."""
        if count not in self.speeds:
            self.speeds[count] = machine.speed(self.using(count))
        return self.speeds[count]


def available_cores():
    return sorted(os.sched_getaffinity(0))
