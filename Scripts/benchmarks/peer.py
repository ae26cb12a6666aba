"""One system on one workload, driven line by line on standard input.

    peer.py SYSTEM WORKLOAD DATA.h5

says {"ready": …} with the losses of its first 20 steps; then each line "run SECONDS" trains for at least that long
and answers {"samples": …, "seconds": …}.
"""

import json
import resource
import sys
import time

from workloads import named, read_data

FIRST_STEPS = 20


def main():
    system, workload, path = sys.argv[1], named(sys.argv[2]), sys.argv[3]
    data = read_data(path)
    begun = time.perf_counter()
    trainer = SYSTEMS[system](workload, *data)
    losses = trainer.first_losses(FIRST_STEPS)
    answer({"ready": system, "losses": losses, "first_seconds": time.perf_counter() - begun,
            "version": trainer.version()})
    trainer.epoch()  # whatever is compiled at first use
    for line in sys.stdin:
        words = line.split()
        if words[:1] != ["run"]:
            break
        wanted, samples, begun = float(words[1]), 0, time.perf_counter()
        while True:
            samples += trainer.epoch()
            seconds = time.perf_counter() - begun
            if seconds >= wanted:
                break
        answer({"samples": samples, "seconds": seconds,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


def answer(value):
    print(json.dumps(value), flush=True)


class Jax:
    def __init__(self, workload, x, y, weights):
        import jax
        import jax.numpy as jnp
        import optax

        self.jax, self.jnp, self.workload = jax, jnp, workload
        self.batches = len(x) // workload.batch
        self.x = jnp.asarray(x)
        self.y = jnp.asarray(y)
        self.params = [(jnp.asarray(w), jnp.zeros(w.shape[1], jnp.float32)) for w in weights]
        self.start = self.params
        self.optimizer = {
            "sgd": lambda: optax.sgd(workload.rate),
            "momentum": lambda: optax.sgd(workload.rate, momentum=0.9),
            "adam": lambda: optax.adam(workload.rate),
        }[workload.optimizer]()
        self.state = self.optimizer.init(self.params)
        self.epochs = 0

        def loss(params, x, y):
            for w, b in params[:-1]:
                x = x @ w + b
                x = jax.nn.relu(x) if workload.activation == "relu" else jnp.tanh(x)
            out = x @ params[-1][0] + params[-1][1]
            if workload.loss == "cross_entropy":
                return optax.softmax_cross_entropy_with_integer_labels(out, y).mean()
            if workload.loss == "bce":
                return optax.sigmoid_binary_cross_entropy(out, y).mean()
            return jnp.mean((out - y) ** 2)

        def step(carry, batch):
            params, state = carry
            value, gradient = jax.value_and_grad(loss)(params, *batch)
            updates, state = self.optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), value

        self.step_function = step
        self.step = jax.jit(step, donate_argnums=0)

    def version(self):
        return f"jax {self.jax.__version__}"

    def batch(self, index):
        rows = slice(index * self.workload.batch, (index + 1) * self.workload.batch)
        return self.x[rows], self.y[rows]

    def first_losses(self, count):
        carry = self.jax.tree.map(self.jnp.array, (self.params, self.state))
        losses = []
        for index in range(count):
            carry, value = self.step(carry, self.batch(index % self.batches))
            losses.append(float(value))
        return losses

    def order(self):
        self.epochs += 1
        if not self.workload.shuffled:
            return self.jnp.arange(len(self.x))
        return self.jax.random.permutation(self.jax.random.key(self.epochs), len(self.x))


class JaxStep(Jax):
    """A jitted step, called once a batch: how JAX is usually written."""

    def epoch(self):
        carry, order = (self.params, self.state), self.order()
        for index in range(self.batches):
            if self.workload.shuffled:
                rows = order[index * self.workload.batch:(index + 1) * self.workload.batch]
                batch = self.x[rows], self.y[rows]
            else:
                batch = self.batch(index)
            carry, value = self.step(carry, batch)
        value.block_until_ready()
        self.params, self.state = carry
        return self.batches * self.workload.batch


class JaxScan(Jax):
    """A whole epoch under lax.scan, compiled as one program: JAX at its strongest."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        jax, shape = self.jax, (self.batches, self.workload.batch)
        if self.workload.shuffled:
            def scan(carry, order, x, y):
                def step(carry, rows):
                    return self.step_function(carry, (x[rows], y[rows]))
                return jax.lax.scan(step, carry, order.reshape(shape))
            self.run = jax.jit(scan, donate_argnums=0)
        else:
            self.xs = self.x.reshape(shape + self.x.shape[1:])
            self.ys = self.y.reshape(shape + self.y.shape[1:])
            self.run = jax.jit(
                lambda carry, order, x, y: jax.lax.scan(self.step_function, carry, (x, y)), donate_argnums=0)

    def epoch(self):
        if self.workload.shuffled:
            carry, values = self.run((self.params, self.state), self.order(), self.x, self.y)
        else:
            carry, values = self.run((self.params, self.state), None, self.xs, self.ys)
        values.block_until_ready()
        self.params, self.state = carry
        return self.batches * self.workload.batch


class Torch:
    """PyTorch as people write it, with data in memory."""

    compiled = False

    def __init__(self, workload, x, y, weights):
        import torch

        self.torch, self.workload = torch, workload
        self.batches = len(x) // workload.batch
        self.x = torch.from_numpy(x)
        self.y = torch.from_numpy(y.astype("int64") if workload.loss == "cross_entropy" else y)
        layers = []
        for index, weight in enumerate(weights):
            layer = torch.nn.Linear(*weight.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.zero_()
            layers.append(layer)
            if index < len(weights) - 1:
                layers.append(torch.nn.ReLU() if workload.activation == "relu" else torch.nn.Tanh())
        self.model = torch.nn.Sequential(*layers)
        self.start = [p.detach().clone() for p in self.model.parameters()]
        self.loss = {"cross_entropy": torch.nn.CrossEntropyLoss, "bce": torch.nn.BCEWithLogitsLoss,
                     "mse": torch.nn.MSELoss}[workload.loss]()
        self.reset()
        self.forward = lambda x, y: self.loss(self.model(x), y)
        if self.compiled:
            self.forward = torch.compile(self.forward)

    def reset(self):
        torch = self.torch
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), self.start):
                parameter.copy_(value)
        parameters = list(self.model.parameters())
        self.optimizer = {
            "sgd": lambda: torch.optim.SGD(parameters, lr=self.workload.rate, foreach=True),
            "momentum": lambda: torch.optim.SGD(parameters, lr=self.workload.rate, momentum=0.9, foreach=True),
            "adam": lambda: torch.optim.Adam(parameters, lr=self.workload.rate, foreach=True),
        }[self.workload.optimizer]()

    def version(self):
        return f"torch {self.torch.__version__}"

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
        order = self.torch.randperm(len(self.x)) if self.workload.shuffled else None
        for index in range(self.batches):
            if order is None:
                batch = self.batch(index)
            else:
                rows = order[index * self.workload.batch:(index + 1) * self.workload.batch]
                batch = self.x[rows], self.y[rows]
            self.step(*batch)
        return self.batches * self.workload.batch


class TorchCompiled(Torch):
    """The same through torch.compile."""

    compiled = True


class Keras:
    """Keras 3 over JAX: model.fit on arrays, compiled."""

    def __init__(self, workload, x, y, weights):
        import os

        os.environ["KERAS_BACKEND"] = "jax"
        import keras

        self.keras, self.workload, self.x, self.y = keras, workload, x, y
        self.batches = len(x) // workload.batch
        layers = [keras.layers.Input((workload.sizes[0],))]
        for index, weight in enumerate(weights):
            activation = workload.activation if index < len(weights) - 1 else None
            layers.append(keras.layers.Dense(weight.shape[1], activation=activation))
        self.model = keras.Sequential(layers)
        self.weights = weights
        self.optimizer = {
            "sgd": lambda: keras.optimizers.SGD(workload.rate),
            "momentum": lambda: keras.optimizers.SGD(workload.rate, momentum=0.9),
            "adam": lambda: keras.optimizers.Adam(workload.rate, epsilon=1e-8),
        }[workload.optimizer]
        self.loss = {
            "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "bce": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
            "mse": lambda: keras.losses.MeanSquaredError(),
        }[workload.loss]
        self.reset()

    def reset(self):
        for layer, weight in zip(self.model.layers, self.weights):
            layer.set_weights([weight, weight[0] * 0])
        self.model.compile(optimizer=self.optimizer(), loss=self.loss(), jit_compile=True)

    def version(self):
        return f"keras {self.keras.__version__}"

    def first_losses(self, count):
        losses, size = [], self.workload.batch
        for index in range(count):
            rows = slice(index % self.batches * size, (index % self.batches + 1) * size)
            self.model.reset_metrics()
            losses.append(float(self.model.train_on_batch(self.x[rows], self.y[rows])))
        self.reset()
        return losses

    def epoch(self):
        self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=1, verbose=0,
                       shuffle=self.workload.shuffled)
        return self.batches * self.workload.batch


class ScikitLearn:
    """scikit-learn's MLP; its loss halves squared errors, so its rate is doubled there."""

    def __init__(self, workload, x, y, weights):
        import sklearn
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        self.sklearn, self.workload, self.x, self.weights = sklearn, workload, x, weights
        self.batches = len(x) // workload.batch
        self.y = y.ravel() if workload.loss != "cross_entropy" else y
        squared = workload.loss == "mse"
        self.make = lambda: (MLPRegressor if squared else MLPClassifier)(
            hidden_layer_sizes=workload.sizes[1:-1], activation=workload.activation, alpha=0.0,
            solver="adam" if workload.optimizer == "adam" else "sgd",
            momentum=0.9 if workload.optimizer == "momentum" else 0.0, nesterovs_momentum=False,
            learning_rate_init=workload.rate * (2 if squared else 1), batch_size=workload.batch,
            shuffle=workload.shuffled, max_iter=1)
        self.reset()

    def reset(self):
        from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

        self.model = self.make()
        classes = None if self.workload.loss == "mse" else sorted(set(self.y.tolist()))
        arguments = {} if classes is None else {"classes": classes}
        self.model.partial_fit(self.x[:self.workload.batch], self.y[:self.workload.batch], **arguments)
        for index, weight in enumerate(self.weights):
            self.model.coefs_[index][...] = weight
            self.model.intercepts_[index][...] = 0
        parameters = self.model.coefs_ + self.model.intercepts_
        rate = self.model.learning_rate_init
        if self.workload.optimizer == "adam":
            self.model._optimizer = AdamOptimizer(parameters, rate)
        else:
            self.model._optimizer = SGDOptimizer(
                parameters, rate, momentum=self.model.momentum, nesterov=False)

    def version(self):
        return f"scikit-learn {self.sklearn.__version__}"

    def first_losses(self, count):
        losses, size = [], self.workload.batch
        for index in range(count):
            rows = slice(index % self.batches * size, (index % self.batches + 1) * size)
            self.model.partial_fit(self.x[rows], self.y[rows])
            losses.append(float(self.model.loss_) * (2 if self.workload.loss == "mse" else 1))
        self.reset()
        return losses

    def epoch(self):
        self.model.partial_fit(self.x, self.y)
        return self.batches * self.workload.batch


SYSTEMS = {"jax-scan": JaxScan, "jax-step": JaxStep, "torch": Torch, "torch-compile": TorchCompiled,
           "keras": Keras, "scikit-learn": ScikitLearn}

if __name__ == "__main__":
    main()
