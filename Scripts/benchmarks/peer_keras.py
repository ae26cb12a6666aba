"""Keras 3 over JAX: model.fit on arrays, compiled."""

import keras

from trainer import Trainer


class Keras(Trainer):
    def prepare(self, x, y, weights):
        workload = self.workload
        self.x, self.y, self.weights = x, y, weights
        self.batches = len(x) // workload.batch
        layers = [keras.layers.Input((workload.sizes[0],))]
        for index, weight in enumerate(weights):
            activation = workload.activation if index < len(weights) - 1 else None
            layers.append(keras.layers.Dense(weight.shape[1], activation=activation))
        self.model = keras.Sequential(layers)
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
        return f"Keras {keras.__version__}"

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

    def classes(self, x):
        return self.model.predict(x, batch_size=1000, verbose=0).argmax(1)

    def save(self, path):
        self.model.save_weights(path)

    def load(self, path):
        self.model.load_weights(path)
