"""JAX with Optax: step by step, and a whole epoch as one program."""

import jax
import jax.numpy as jnp
import optax

from trainer import Trainer


class Jax(Trainer):
    def prepare(self, x, y, weights):
        workload = self.workload
        self.batches = len(x) // workload.batch
        self.x, self.y = jnp.asarray(x), jnp.asarray(y)
        self.start = [(jnp.asarray(w), jnp.zeros(w.shape[1], jnp.float32)) for w in weights]
        self.optimizer = {
            "sgd": lambda: optax.sgd(workload.rate),
            "momentum": lambda: optax.sgd(workload.rate, momentum=0.9),
            "adam": lambda: optax.adam(workload.rate),
        }[workload.optimizer]()
        self.epochs = 0
        self.step = jax.jit(self.step_function, donate_argnums=0)
        self.outputs = jax.jit(self.forward)
        self.reset()

    def reset(self):
        # A copy: a step takes its parameters' memory.
        self.params = jax.tree.map(jnp.array, self.start)
        self.state = self.optimizer.init(self.params)

    def forward(self, params, x):
        for w, b in params[:-1]:
            x = x @ w + b
            x = jax.nn.relu(x) if self.workload.activation == "relu" else jnp.tanh(x)
        return x @ params[-1][0] + params[-1][1]

    def loss(self, params, x, y):
        out = self.forward(params, x)
        if self.workload.loss == "cross_entropy":
            return optax.softmax_cross_entropy_with_integer_labels(out, y).mean()
        if self.workload.loss == "bce":
            return optax.sigmoid_binary_cross_entropy(out, y).mean()
        return jnp.mean((out - y) ** 2)

    def step_function(self, carry, batch):
        params, state = carry
        value, gradient = jax.value_and_grad(self.loss)(params, *batch)
        updates, state = self.optimizer.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), value

    def version(self):
        return f"JAX {jax.__version__}"

    def batch(self, index):
        rows = slice(index * self.workload.batch, (index + 1) * self.workload.batch)
        return self.x[rows], self.y[rows]

    def first_losses(self, count):
        self.reset()
        carry, losses = (self.params, self.state), []
        for index in range(count):
            carry, value = self.step(carry, self.batch(index % self.batches))
            losses.append(float(value))
        self.reset()
        return losses

    def order(self):
        """This epoch's rows, whole batches of them; none where they come as stored."""
        self.epochs += 1
        if not self.workload.shuffled:
            return None
        order = jax.random.permutation(jax.random.key(self.epochs), len(self.x))
        return order[:self.batches * self.workload.batch].reshape(self.batches, self.workload.batch)

    def classes(self, x):
        return jnp.argmax(self.outputs(self.params, x), axis=1)


class JaxStep(Jax):
    """A jitted step, called once a batch: how JAX is usually written."""

    def epoch(self):
        carry, order = (self.params, self.state), self.order()
        for index in range(self.batches):
            batch = self.batch(index) if order is None else (self.x[order[index]], self.y[order[index]])
            carry, value = self.step(carry, batch)
        value.block_until_ready()
        self.params, self.state = carry
        return self.batches * self.workload.batch


class JaxScan(Jax):
    """A whole epoch under lax.scan, compiled as one program: JAX at its strongest."""

    def prepare(self, x, y, weights):
        super().prepare(x, y, weights)
        if self.workload.shuffled:
            def scan(carry, order, x, y):
                return jax.lax.scan(lambda carry, rows: self.step_function(carry, (x[rows], y[rows])), carry, order)
            self.rows = self.x, self.y
        else:
            def scan(carry, order, x, y):
                return jax.lax.scan(self.step_function, carry, (x, y))
            shape, used = (self.batches, self.workload.batch), self.batches * self.workload.batch
            self.rows = [values[:used].reshape(shape + values.shape[1:]) for values in (self.x, self.y)]
        self.scan = jax.jit(scan, donate_argnums=0)

    def epoch(self):
        (self.params, self.state), values = self.scan((self.params, self.state), self.order(), *self.rows)
        values.block_until_ready()
        return self.batches * self.workload.batch


class JaxScanMixed(JaxScan):
    """The same with products of bfloat16 that add up in Float32, and weights in Float32."""

    def forward(self, params, x):
        def product(x, w):
            return jnp.matmul(x.astype(jnp.bfloat16), w.astype(jnp.bfloat16), preferred_element_type=jnp.float32)

        for w, b in params[:-1]:
            x = product(x, w) + b
            x = jax.nn.relu(x) if self.workload.activation == "relu" else jnp.tanh(x)
        return product(x, params[-1][0]) + params[-1][1]
