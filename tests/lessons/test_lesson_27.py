"""Lesson 27: searches, densities, the median rule, main effects, zombies, the widget."""

from __future__ import annotations

import itertools
import math

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from conftest import cell_of, function_of, lesson

WIDGET = "draw_walk"
SHAPE = (16, 6, 6)
LADDERS = {
    "rate": np.geomspace(1e-4, 1e-1, 16),
    "dropout": np.linspace(0, 0.75, 6),
    "decay": np.geomspace(1e-3, 1, 6),
}


def hollow(best=(7, 2, 3)):
    """Return losses [576] of a bowl whose lowest point is known."""
    steps = np.indices(SHAPE).reshape(3, -1).T
    return ((steps - np.array(best)) ** 2 / np.array([9, 90, 90])).sum(axis=1)


def search(name, **stubs):
    return function_of("27", name, np=np, itertools=itertools, SHAPE=SHAPE, **stubs)


@pytest.fixture
def tpe():
    density = function_of("27", "density", np=np)
    sizes = {"START": 9, "GOOD": 0.2, "CANDIDATES": 24}
    propose = search("propose", math=math, density=density, **sizes)
    return search(
        "tpe_search", random_search=search("random_search"), propose=propose, START=9
    )


def test_log_loss_by_hand():
    losses_of = function_of("27", "losses_of", np=np)
    got = losses_of(np.array([1, 0]), np.array([0.25, 0.25]))
    assert got == pytest.approx([-math.log(0.25), -math.log(0.75)])
    both = function_of("27", "both", losses_of=losses_of)
    loss, accuracy = both(np.array([1, 0]), np.array([0.25, 0.25]))
    assert (loss, accuracy) == (pytest.approx(got.mean()), 0.5)


def test_being_sure_and_wrong_is_not_infinite():
    losses_of = function_of("27", "losses_of", np=np)
    assert np.isfinite(losses_of(np.array([1]), np.array([0.0]))).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_grid_sees_three_values_of_each_ladder(seed):
    tried = search("grid_search")(hollow(), 27, np.random.default_rng(seed))
    steps = np.unravel_index(tried, SHAPE)
    assert len(set(tried.tolist())) == 27
    assert [len(set(step.tolist())) for step in steps] == [3, 3, 3]


def test_random_search_tries_nothing_twice_and_looks_at_nothing():
    random_search = search("random_search")
    tried = random_search(hollow(), 54, np.random.default_rng(0))
    other = random_search(-hollow(), 54, np.random.default_rng(0))
    assert len(set(tried.tolist())) == 54
    assert (tried == other).all()


def test_best_so_far_never_rises():
    best = function_of("27", "best_so_far", np=np)
    assert best([0.5, 0.7, 0.3, 0.4]).tolist() == [0.5, 0.5, 0.3, 0.3]


def test_density_is_a_distribution_with_its_peak_at_the_trials():
    density = function_of("27", "density", np=np)
    got = density(np.array([4, 4, 5]), 16)
    assert got.sum() == pytest.approx(1)
    assert got.argmax() == 4
    assert got.min() >= 1 / 16 / 4  # the flat bump keeps every value possible


def test_tpe_begins_at_random_and_finds_the_bowl_sooner(tpe):
    losses = hollow()
    found = {"tpe": [], "random": []}
    for seed in range(12):
        tried = tpe(losses, 30, np.random.default_rng(seed))
        blind = search("random_search")(losses, 30, np.random.default_rng(seed))
        start = search("random_search")(losses, 9, np.random.default_rng(seed))
        assert (tried[:9] == start).all()
        assert len(set(tried.tolist())) == 30
        found["tpe"].append(losses[tried].min())
        found["random"].append(losses[blind].min())
    assert np.mean(found["tpe"]) < np.mean(found["random"])


def test_the_median_rule():
    stop_after = function_of("27", "stop_after", np=np)
    done = [[0.7, 0.4, 0.3]] * 5
    assert stop_after([0.6, 0.5, 0.5], done, 0) == 2
    assert stop_after([0.6, 0.5, 0.5], done, 2) == 3
    assert stop_after([0.6, 0.5, 0.2], done[:4], 0) == 3  # too few to compare with
    assert stop_after([0.2, 0.9, 0.9], done, 0) == 3  # its best so far counts


@pytest.mark.parametrize("axis", range(3))
def test_main_effects_find_the_only_one_that_matters(axis):
    losses = np.indices(SHAPE)[axis].astype(float)
    effects = function_of("27", "main_effects", LADDERS=LADDERS)(losses)
    expected = [float(other == axis) for other in range(3)]
    assert list(effects.values()) == pytest.approx(expected)


def test_an_interaction_is_no_main_effect():
    rate, _, decay = np.indices(SHAPE)
    losses = (rate - 7.5) * (decay - 2.5)
    effects = function_of("27", "main_effects", LADDERS=LADDERS)(losses)
    assert sum(effects.values()) == pytest.approx(0, abs=1e-9)


@pytest.fixture
def widget(monkeypatch):
    """The lesson's functions around the widget, on bowls instead of trained heads."""
    mpl.use("Agg")
    monkeypatch.setattr(plt, "show", lambda: None)
    every = np.array(list(itertools.product(*LADDERS.values())))
    searches = {"random": search("random_search"), "grid": search("grid_search")}
    stubs = {"np": np, "table": np.stack([hollow(), hollow() + 1]), "every": every}
    stubs |= {"BUDGET": 27, "SHAPE": SHAPE, "LADDERS": LADDERS, "plt": plt}
    stubs |= {"SEARCHES": searches, "course": type("Course", (), {"seed": 42})}
    for name in ("walk", "watch", "draw_map", "draw_walk"):
        stubs[name] = function_of("27", name, **stubs)
    yield stubs
    plt.close("all")


def test_the_widget_says_how_far_the_search_came(widget):
    lines = [widget["watch"]("random", trials, 0) for trials in (1, 27)]
    regrets = [float(line.rsplit(" ", 1)[1]) for line in lines]
    assert lines[0].startswith("random, 1 trials: rate ")
    assert regrets[1] <= regrets[0]
    assert lines[1] != widget["watch"]("random", 27, 2)


@pytest.mark.parametrize(("name", "trials"), [("grid", 27), ("random", 5)])
def test_the_widget_draws_each_trial_in_its_cell_of_the_map(widget, name, trials):
    widget["draw_walk"](name, trials, 1)
    ax = plt.gcf().axes[0]
    dots, star = ax.lines
    _, tried = widget["walk"](name, trials, 1)
    rate, dropout, decay = np.unravel_index(tried, SHAPE)
    x, y = dots.get_xdata(), dots.get_ydata()
    assert (x == rate).all()
    assert (np.rint(y) == decay).all()
    assert y - decay == pytest.approx((dropout - 2.5) * 0.15)  # its dropout's height
    best = hollow()[tried].argmin()
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (x[best], y[best])
    said = widget["watch"](name, trials, 1)
    assert said in {ax.get_title(), ax.get_title(loc="left")}


def test_a_search_that_was_killed_leaves_one_zombie_and_can_be_mended():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    states = optuna.trial.TrialState
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    left = study.ask()
    step = left.suggest_int("rate", 0, 15)
    function_of("27", "mend", TrialState=states)(study)
    assert [trial.state for trial in study.trials] == [states.FAIL, states.WAITING]
    study.optimize(lambda trial: trial.suggest_int("rate", 0, 15), n_trials=1)
    assert study.trials[1].params == {"rate": step}


def test_the_script_that_dies_is_python():
    source = cell_of(lesson("27"), "s08-script").source
    names = {}
    exec(source, names)
    compile(names["SCRIPT"], "script", "exec")
    assert "os._exit" in names["SCRIPT"]
