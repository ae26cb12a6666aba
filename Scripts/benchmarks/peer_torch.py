"""PyTorch, eager and compiled, on data in memory."""

import numpy as np
import torch

from trainer import Trainer


class Torch(Trainer):
    """PyTorch as people write it, with data in memory."""

    compiled = False

    def prepare(self, x, y, weights):
        self.batches = len(x) // self.workload.batch
        self.x, self.y = self.tensors(x, y)
        layers = []
        for index, weight in enumerate(weights):
            layer = torch.nn.Linear(*weight.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.zero_()
            layers.append(layer)
            if index < len(weights) - 1:
                layers.append(torch.nn.ReLU() if self.workload.activation == "relu" else torch.nn.Tanh())
        self.model = torch.nn.Sequential(*layers)
        self.start = [p.detach().clone() for p in self.model.parameters()]
        self.loss = {"cross_entropy": torch.nn.CrossEntropyLoss, "bce": torch.nn.BCEWithLogitsLoss,
                     "mse": torch.nn.MSELoss}[self.workload.loss]()
        self.reset()
        self.forward = lambda x, y: self.loss(self.model(x), y)
        if self.compiled:
            self.forward = torch.compile(self.forward)

    def tensors(self, x, y):
        """Arrays as the model and the loss take them; class numbers have to be of 64 bits."""
        y = y.astype(np.int64) if self.workload.loss == "cross_entropy" else y
        return torch.from_numpy(x), torch.from_numpy(y)

    def reset(self):
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), self.start):
                parameter.copy_(value)
        parameters, rate = list(self.model.parameters()), self.workload.rate
        self.optimizer = {
            "sgd": lambda: torch.optim.SGD(parameters, lr=rate, foreach=True),
            "momentum": lambda: torch.optim.SGD(parameters, lr=rate, momentum=0.9, foreach=True),
            "adam": lambda: torch.optim.Adam(parameters, lr=rate, foreach=True),
        }[self.workload.optimizer]()

    def version(self):
        return f"PyTorch {torch.__version__}"

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.forward(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def batch(self, index):
        rows = slice(index * self.workload.batch, (index + 1) * self.workload.batch)
        return self.x[rows], self.y[rows]

    def first_losses(self, count):
        losses = [float(self.step(*self.batch(index % self.batches)).detach()) for index in range(count)]
        self.reset()
        return losses

    def epoch(self):
        order = torch.randperm(len(self.x)) if self.workload.shuffled else None
        for index in range(self.batches):
            if order is None:
                batch = self.batch(index)
            else:
                rows = order[index * self.workload.batch:(index + 1) * self.workload.batch]
                batch = self.x[rows], self.y[rows]
            self.step(*batch)
        return self.batches * self.workload.batch

    @torch.no_grad()
    def classes(self, x):
        return self.model(torch.from_numpy(x)).argmax(1).numpy()

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])


class TorchCompiled(Torch):
    """The same through torch.compile."""

    compiled = True


class TorchAutocast(Torch):
    """Products in bfloat16 under autocast, weights and the rest in Float32."""

    def prepare(self, x, y, weights):
        super().prepare(x, y, weights)
        plain = self.forward

        def forward(x, y):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return plain(x, y)
        self.forward = forward


class TorchAutocastCompiled(TorchAutocast):
    compiled = True


class TorchPure(Torch):
    """Everything in bfloat16, the weights too."""

    def prepare(self, x, y, weights):
        super().prepare(x, y, weights)
        self.x = self.x.bfloat16()
        self.model.bfloat16()
        self.start = [value.bfloat16() for value in self.start]
        self.reset()


class TorchPureCompiled(TorchPure):
    compiled = True
