"""Lesson 28: bytes of the states, operations of a plan, a batch that fits."""

from course_utils.exercises import Exercise, Mistake


def _gib(weights, gradients, state, unit=2**30):
    """Return a count whose three parts have these bytes per parameter or trained one."""
    return lambda parameters, trained: (
        (weights * parameters + (gradients + state) * trained) / unit
    )


def _all_trained(parameters, trained):
    return 16 * parameters / 2**30


def _operations(parameters, trained, checkpointing):
    forward = 2 * parameters
    if not trained:
        return forward
    again = forward if checkpointing else 0
    return forward + again + 2 * parameters + 2 * trained


def _no_gradient_of_inputs(parameters, trained, checkpointing):
    again = 2 * parameters if checkpointing and trained else 0
    return 2 * parameters + again + 4 * trained


def _always_backward(parameters, trained, checkpointing):
    return 4 * parameters + 2 * trained + (2 * parameters if checkpointing else 0)


def _again_when_frozen(parameters, trained, checkpointing):
    again = 2 * parameters if checkpointing else 0
    return _operations(parameters, trained, False) + again


def _choose(wanted, per_text, fixed, budget, *, divide=True, strict=False):
    for texts in range(wanted, 0, -1):
        need = fixed + texts * per_text
        fits = need < budget if strict else need <= budget
        if fits and (wanted % texts == 0 or not divide):
            return texts, -(-wanted // texts)
    return 0, 0


def _not_limited(wanted, per_text, fixed, budget):
    texts = int((budget - fixed) // per_text)
    return (texts, max(1, -(-wanted // texts))) if texts > 0 else (0, 0)


def _one_at_a_time(wanted, per_text, fixed, budget):
    return (1, wanted) if fixed + per_text <= budget else (0, 0)


def _halving(wanted, per_text, fixed, budget):
    """Halve the batch until it fits: misses the divisors that are no halves."""
    texts = wanted
    while texts and (fixed + texts * per_text > budget or wanted % texts):
        texts //= 2
    return (texts, wanted // texts) if texts else (0, 0)


EXERCISES = [
    Exercise(
        reference=_gib(4, 4, 8),
        cases=[(22_700_000, 22_700_000), (7_000_000_000, 20_000_000), (1000, 0)],
        mistakes=[
            Mistake(
                _all_trained,
                "Gradients and the optimiser's state exist for trained parameters only.",
            ),
            Mistake(
                _gib(4, 4, 4),
                "A number per trained parameter is missing: there is one gradient, and "
                "AdamW keeps two running means.",
            ),
            Mistake(
                _gib(4, 4, 0),
                "The optimiser's state is missing: two numbers per trained parameter.",
            ),
            Mistake(
                _gib(4, 4, 8, unit=10**9),
                "That is in GB, 10⁹ bytes. A GiB has 2³⁰ bytes.",
            ),
            Mistake(
                _gib(4, 4, 8, unit=2**20),
                "That is in MiB. A GiB has 2³⁰ bytes.",
            ),
            Mistake(
                _gib(2, 2, 4),
                "32 bits are 4 bytes per number.",
            ),
            Mistake(
                _gib(1, 1, 2, unit=2**30),
                "You counted numbers; each takes 4 bytes.",
            ),
        ],
        # Small cases, too: an absolute tolerance would let 0 pass for 1,000 parameters.
        same=lambda got, expected: abs(got - expected) <= 1e-9 * abs(expected),
        hint="Three parts: which of them exist for frozen parameters as well?",
    ),
    Exercise(
        reference=_operations,
        cases=[
            (100, 100, False),
            (100, 1, False),
            (100, 1, True),
            (100, 100, True),
            (100, 0, False),
            (100, 0, True),
        ],
        mistakes=[
            Mistake(
                lambda p, t, c: 6 * t * (4 / 3 if c else 1),
                "That is the promise as it was. A frozen weight takes part in the "
                "forward pass, too.",
            ),
            Mistake(
                lambda p, t, c: (8 if c else 6) * p,
                "The gradient of a weight is computed only if the weight is trained.",
            ),
            Mistake(
                _no_gradient_of_inputs,
                "To reach a trained weight further down, the gradient passes through "
                "the frozen matrices, too: that of their inputs is needed.",
            ),
            Mistake(
                _always_backward,
                "With nothing trained there is no backward pass.",
            ),
            Mistake(
                _again_when_frozen,
                "With nothing trained, nothing is computed again: there is no backward "
                "pass that could need it.",
            ),
            Mistake(
                lambda p, t, c: _operations(p, t, False),
                "Checkpointing runs the forward pass once more.",
            ),
        ],
        hint="Add up a row of the lesson's table: forward, inputs, weights, again.",
    ),
    Exercise(
        reference=_choose,
        cases=[
            (16, 10.0, 100.0, 200.0),
            (12, 10.0, 100.0, 165.0),
            (16, 10.0, 100.0, 1000.0),
            (16, 10.0, 100.0, 105.0),
            (8, 10.0, 0.0, 80.0),
            (18, 10.0, 50.0, 115.0),
        ],
        mistakes=[
            Mistake(
                lambda w, p, f, b: _choose(w, p, f, b, divide=False),
                "The pieces must be equally large: the texts at once divide `wanted`.",
            ),
            Mistake(
                _not_limited,
                "Never more than `wanted` at once, and pieces of equal size.",
            ),
            Mistake(
                lambda w, p, f, b: _choose(w, p, 0, b),
                "Weights, optimiser and gradients are there as well: `fixed`.",
            ),
            Mistake(
                lambda w, p, f, b: _choose(w, p, f, b, strict=True),
                "A batch that fills the budget exactly fits.",
            ),
            Mistake(
                _one_at_a_time,
                "That fits, but as many texts at once as fit are wanted.",
            ),
            Mistake(
                _halving,
                "Halving misses sizes: 18 texts can also go 9, 6, 3 or 2 at a time.",
            ),
            Mistake(
                lambda w, p, f, b: tuple(reversed(_choose(w, p, f, b))),
                "First the texts at once, then the number of pieces.",
            ),
        ],
        same=lambda got, expected: tuple(got) == tuple(expected),
        hint="Try the divisors of `wanted`, the largest first.",
    ),
]
