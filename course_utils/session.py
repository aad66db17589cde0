"""Start a lesson: seed, threads, device, precision, quiet logs, plot style."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from course_utils import lessons
from course_utils.errors import InputError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Session:
    """What a lesson needs to know about where it runs.

    Attributes:
        lesson: number of the lesson, two digits.
        seed: set for Python, NumPy and torch by `start`.
        device: where tensors and models go.
        precision: dtype for `autocast`: bfloat16 where it was measured to be faster.
        threads: CPU threads that torch uses.
        hub: whether full-size models are taken from the model hub.
    """

    lesson: str
    seed: int
    device: torch.device
    precision: torch.dtype
    threads: int
    hub: bool
    _started: float = field(default_factory=time.perf_counter, repr=False)

    def autocast(self):
        """Return a context in which matrix products run in `precision`."""
        import torch

        enabled = self.precision != torch.float32
        return torch.autocast(self.device.type, dtype=self.precision, enabled=enabled)

    def elapsed(self) -> float:
        """Seconds since `start`."""
        return time.perf_counter() - self._started


def start(
    lesson: str | int,
    *,
    seed: int | None = None,
    device: str | None = None,
    hub: bool | None = None,
) -> Session:
    """Prepare a lesson and print one line that says where it runs.

    Args:
        lesson: its number, e.g. "01".
        seed: for Python, NumPy and torch; else SFT_COURSE_SEED; else 42.
        device: "cpu", "cuda" or "mps"; else SFT_COURSE_DEVICE; else CUDA if there is one.
        hub: take full-size models from the model hub; else SFT_COURSE_HUB; else no.

    Raises:
        InputError: for an unknown lesson, a seed or thread count that is no whole
            number, or a device that torch does not have here.
    """
    number = lessons.get(lesson).number
    seed = _seed(seed)
    from course_utils.assets import hub as hub_switch

    use_hub = hub_switch.switch(hub)  # before transformers is imported: it reads once
    _quiet()
    # Threads that wait should soon sleep: with two notebooks open on two cores, waiting in
    # a busy loop made a training step four times slower. OpenMP reads this when it loads.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

    import numpy as np
    import torch

    threads = _whole_number("SFT_COURSE_THREADS", _cores(), minimum=1)
    torch.set_num_threads(threads)
    where = _device(device or os.environ.get("SFT_COURSE_DEVICE"))
    precision = _precision(where)
    random.seed(seed)  # after the measurement, which draws numbers of its own
    np.random.seed(seed)
    torch.manual_seed(seed)

    from course_utils import plots

    plots.use_style()
    session = Session(number, seed, where, precision, threads, use_hub)
    print(_describe(session))
    return session


def _describe(session: Session) -> str:
    import torch

    name = {"cpu": f"CPU with {session.threads} threads", "mps": "Apple GPU"}.get(
        session.device.type
    ) or torch.cuda.get_device_name(session.device)
    models = "from the model hub" if session.hub else "small, from the package index"
    return (
        f"Lesson {session.lesson} on {name}, {str(session.precision).split('.')[1]}, "
        f"seed {session.seed}; models: {models}; torch {torch.__version__.split('+')[0]}"
    )


def _seed(seed: int | None) -> int:
    if seed is None:
        seed = _whole_number("SFT_COURSE_SEED", 42, minimum=0)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError(
            f"Expected a seed from 0 to {2**32 - 1}; got {seed!r}. Use for instance 42."
        )
    return seed


def _whole_number(variable: str, default: int, *, minimum: int) -> int:
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or int(text) < minimum:
        raise InputError(
            f"Expected {variable} to be a whole number of at least {minimum}; "
            f"got {text!r}. Set it to a number or unset it."
        )
    return int(text)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # respects containers and taskset
    return os.cpu_count() or 1


def _device(name: str | None) -> torch.device:
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"Expected a device that torch has here, such as 'cpu'; got {name!r}. "
            "Unset SFT_COURSE_DEVICE or choose 'cpu'."
        ) from error
    return device


def _precision(device: torch.device) -> torch.dtype:
    """Choose bfloat16 where it pays: by capability on a GPU, by measuring on a CPU.

    Processors with AMX or AVX512-BF16 gain a factor of two; others lose.
    """
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type != "cpu":
        return torch.float32

    def seconds(dtype: torch.dtype) -> float:
        a, b = torch.rand(512, 384, dtype=dtype), torch.rand(384, 1536, dtype=dtype)
        times = []
        for _ in range(12):
            began = time.perf_counter()
            a @ b
            times.append(time.perf_counter() - began)
        return sorted(times)[len(times) // 2]

    faster = seconds(torch.float32) > 1.3 * seconds(torch.bfloat16)
    return torch.bfloat16 if faster else torch.float32


def _quiet() -> None:
    """Keep outputs to what the lesson prints: no progress junk, no library warnings."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    # Trainer asks for pinned memory, which only a GPU has.
    warnings.filterwarnings("ignore", message=".*pin_memory.*")
    # tqdm complains on stderr when a notebook has no ipywidgets front end.
    warnings.filterwarnings("ignore", message=".*IProgress not found.*")
    if "transformers" in sys.modules:
        from transformers.utils import logging

        logging.set_verbosity_error()
    with contextlib.suppress(ImportError):
        from transformers.utils import logging

        logging.disable_progress_bar()
        import datasets

        datasets.disable_progress_bars()
