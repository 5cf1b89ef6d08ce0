"""A process of its own for each measurement: no other peer's threads and garbage, and no heap torn by earlier ones.

The parent asks, the child answers, one at a time, so that measurements never overlap.
"""

import importlib
import math
import multiprocessing
import statistics
import time
import traceback

import problems
from peers import MissingError

# Small matrices on several threads measure the thread pool. Read by the libraries when they are imported.
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"),
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",
}
# Each library picks its kernels for the processor it is on. These hold OpenBLAS, and so NumPy alone, to others.
HELD = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
SLOT = 0.02  # seconds a measurement should take at least: a clock that ticks in microseconds is then exact to 1 in 1000
TRIALS = 7  # rounds in which the forms of one peer compete


class PeerError(Exception):
    """The peer's answer, if it is an error: the text is for the reader of the table."""


class Worker:
    def __init__(self, peer):
        self.peer, self.form = peer, None
        self._start()

    def _start(self):
        context = multiprocessing.get_context("spawn")  # a fork would share what the parent has imported
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self.peer.module), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, *question):
        try:
            self._pipe.send(question)
            answer, error = self._pipe.recv()
        except (EOFError, OSError):  # such as the kernel's, if memory runs out
            raise PeerError("its process died") from None
        if error:
            raise PeerError(error)
        return answer

    def prepare(self, kind, size, dtype, form=None):
        """Ready to be timed. Without `form`, the fastest, which is then built again where no other has been."""
        form = form or self.ask("fastest", kind, size, dtype)
        if form:
            self.close()
            self._start()
        self.ask("prepare", kind, size, dtype, form)
        self.form = form

    def close(self):
        self._pipe.close()
        self._process.join()


def serve(pipe, module):
    contender = Contender(module)
    while True:
        try:
            name, *args = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((getattr(contender, name)(*args), None))
        except Exception as error:  # the other peers go on; what went wrong is shown
            expected = isinstance(error, ImportError | MissingError)
            pipe.send((None, str(error) if expected else traceback.format_exc()))


class Contender:
    """The questions a worker answers."""

    def __init__(self, module):
        self._module, self._step, self._repeats = module, None, 1

    def fastest(self, kind, size, dtype):
        """The name of the fastest form; None if the peer has no choice of forms."""
        module = importlib.import_module(self._module)
        if not hasattr(module, "forms"):
            return None
        problem = problems.problem(kind, size, dtype)
        names = module.forms(kind, problem)
        if len(names) == 1:
            return names[0]
        steps = [module.make(kind, problem, name) for name in names]
        repeats = [enough(step) for step in steps]
        rounds = [[cpu(*one) for one in zip(steps, repeats, strict=True)] for _ in range(TRIALS)]
        ratios = [statistics.median(row[k] / row[0] for row in rounds) for k in range(len(names))]
        return names[ratios.index(min(ratios))]

    def prepare(self, kind, size, dtype, form):
        module = importlib.import_module(self._module)
        problem = problems.problem(kind, size, dtype)
        self._step = module.make(kind, problem, *([form] if form else []))
        self._repeats = enough(self._step)

    def result(self):
        import numpy as np

        cost, grads = self._step()
        return float(cost), {name: np.asarray(grad) for name, grad in grads.items()}

    def kernel(self):
        """Which kernel NumPy's BLAS has picked for this processor, or was told to take."""
        import numpy as np  # so that its BLAS is loaded

        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return f"unknown without threadpoolctl, NumPy {np.__version__}"
        return ", ".join(
            sorted({info.get("architecture", "unknown") for info in threadpool_info() if info["user_api"] == "blas"})
        )

    def time(self):
        """CPU seconds of one step."""
        return cpu(self._step, self._repeats)


def enough(step):
    """How often to repeat a step so that it fills a slot. Warms up too: the first call is not counted."""
    step()
    return math.ceil(SLOT / max(min(cpu(step) for _ in range(3)), 1e-7))


def cpu(function, repeats=1):
    began = time.process_time()
    for _ in range(repeats):
        function()
    return (time.process_time() - began) / repeats
