"""onnxruntime as a system that predicts: MODEL.onnx ROWS THREADS, driven as TreadleBenchmarks is with `predict`.

Its strongest form: inputs and outputs are bound beforehand, so that a call copies and allocates nothing.
"""

import json
import sys
import time

import numpy as np
import onnxruntime


def main():
    path, rows, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    width = session.get_inputs()[0].shape[1]
    x = np.fromfile(rows, np.float32).reshape(-1, width)
    say({"started": "onnxruntime"})
    first = session.run([output], {name: x[:20]})[0]
    say({"ready": "onnxruntime", "losses": first.astype(float).ravel().tolist(),
         "version": f"onnxruntime {onnxruntime.__version__}"})
    for line in sys.stdin:
        word, count, seconds = line.split()
        if word != "run":
            return
        say(run(session, name, output, x, int(count), float(seconds)))


def run(session, name, output, x, count, seconds):
    """Calls of `count` rows, other rows each time."""
    bindings = []
    for first in range(0, len(x) - count + 1, count):
        rows = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(x[first:first + count]))
        answer = onnxruntime.OrtValue.ortvalue_from_numpy(session.run([output], {name: x[first:first + count]})[0])
        binding = session.io_binding()
        binding.bind_ortvalue_input(name, rows)
        binding.bind_ortvalue_output(output, answer)
        bindings.append(binding._iobinding)
    call = session._sess.run_with_iobinding
    for binding in bindings[:3]:
        call(binding, None)
    calls, elapsed, each, begun = 0, 0.0, max(1, 64 // count), time.perf_counter()
    while elapsed < seconds:
        for _ in range(each):
            call(bindings[calls % len(bindings)], None)
            calls += 1
        elapsed = time.perf_counter() - begun
    return {"seconds": elapsed, "calls": calls}


def say(answer):
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
