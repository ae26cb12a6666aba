"""What every peer that trains by whole epochs has in common."""

import time

from cases import read_data, read_weights

FIRST_STEPS = 20  # whose losses are compared


class Trainer:
    """Subclasses prepare a network from the case's first weights, and train an epoch.

    `first_losses` trains from the first weights and goes back to them; `epoch` returns how many samples it trained on.
    """

    def __init__(self, case):
        self.workload = case.workload
        x, y = read_data(case.train)
        whole = len(x) // case.workload.batch * case.workload.batch
        self.prepare(x[:whole], y[:whole], read_weights(case.weights))

    def train(self, seconds):
        """At least an epoch."""
        begun, samples = time.perf_counter(), 0
        while True:
            samples += self.epoch()
            if time.perf_counter() - begun >= seconds:
                return samples
