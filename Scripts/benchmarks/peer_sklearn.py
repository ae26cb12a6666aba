"""scikit-learn's multi-layer perceptron; its loss halves squared errors, so its rate is doubled there."""

import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from trainer import Trainer


class ScikitLearn(Trainer):
    def prepare(self, x, y, weights):
        workload = self.workload
        self.x, self.weights = x, weights
        self.y = y.ravel() if workload.loss != "cross_entropy" else y
        self.batches = len(x) // workload.batch
        squared = workload.loss == "mse"
        self.make = lambda: (MLPRegressor if squared else MLPClassifier)(
            hidden_layer_sizes=workload.sizes[1:-1], activation=workload.activation, alpha=0.0,
            solver="adam" if workload.optimizer == "adam" else "sgd",
            momentum=0.9 if workload.optimizer == "momentum" else 0.0, nesterovs_momentum=False,
            learning_rate_init=workload.rate * (2 if squared else 1), batch_size=workload.batch,
            shuffle=workload.shuffled, max_iter=1)
        self.reset()

    def reset(self):
        self.model = self.make()
        labels = None if self.workload.loss == "mse" else sorted(set(self.y.tolist()))
        arguments = {} if labels is None else {"classes": labels}
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
        return f"scikit-learn {sklearn.__version__}"

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

    def classes(self, x):
        return self.model.predict(x)
