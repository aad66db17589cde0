"""Lesson 30: the widget's handler, soups and twins, shares, temperature, intervals."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import log_softmax

from conftest import cell_of, function_of, lesson
from course_utils import glossary, lessons

WIDGET = "look_up"


@pytest.fixture
def look_up():
    return function_of("30", "look_up")


def test_the_search_shows_terms_with_links(look_up):
    shown = look_up("attention mask")
    assert "<b>attention mask</b>" in shown and 'href="0' in shown


def test_the_search_says_what_is_unknown_or_left_out(look_up):
    assert look_up("xqzzy").startswith("<p>Expected a term of the course")
    assert "<table>" not in look_up("")
    many = look_up("a", 3)
    assert many.count("<tr>") == 4 and "more.</p>" in many


def test_the_map_names_every_lesson_once_in_the_table_and_in_the_boxes():
    notebook = lesson("30")
    table = cell_of(notebook, "s01-flow-read").source
    linked = re.findall(r"\]\((\d\d_[a-z0-9_]+\.ipynb)\)", table)
    others = {row.file for row in lessons.LESSONS.values()} - {lessons.get("30").file}
    assert sorted(linked) == sorted(others)
    boxes_of = function_of("30", "boxes_of")
    stages = ("data", "model", "fine-tune", "evaluate", "all")
    boxes = "".join(boxes_of(stage) for stage in stages)
    assert all(boxes.count(row.file) == 1 for row in lessons.LESSONS.values())


def test_every_question_and_every_line_of_the_checklist_leads_to_a_lesson():
    cells = [c for c in lesson("30").cells if c.id.startswith("s11-")]
    questions = [
        q for c in cells for q in re.findall(r"<details>.*?</details>", c.source, re.S)
    ]
    assert len(questions) == 24
    assert all(re.search(r"\[\d\d\]\(\d\d_", question) for question in questions)
    ticks = re.split(
        r"^- \[ \] ", cell_of(lesson("30"), "s12-checklist").source, flags=re.M
    )
    assert len(ticks) > 20
    assert all(re.search(r"\[\d\d\]\(\d\d_", line) for line in ticks[1:])


def small(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    )


def test_a_soup_averages_numbers_and_leaves_its_members_alone():
    soup = function_of("30", "soup")
    first, second = small(0), small(1)
    before = {name: w.clone() for name, w in first.state_dict().items()}
    even, mostly = soup([first, second]), soup([first, second], [0.9, 0.1])
    for name, weight in before.items():
        other = second.state_dict()[name]
        assert torch.equal(first.state_dict()[name], weight)
        torch.testing.assert_close(even.state_dict()[name], (weight + other) / 2)
        torch.testing.assert_close(
            mostly.state_dict()[name], 0.9 * weight + 0.1 * other
        )


def test_a_twin_computes_the_same_with_other_weights():
    from transformers import BertConfig
    from transformers.models.bert.modeling_bert import BertLayer

    config = BertConfig(
        hidden_size=24, num_attention_heads=4, intermediate_size=40, num_hidden_layers=2
    )
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.layers = torch.nn.ModuleList([BertLayer(config), BertLayer(config)]).eval()
    course = type("Course", (), {"device": torch.device("cpu")})
    reorder = function_of("30", "reorder")
    stubs = {"course": course, "HEADS": 4, "reorder": reorder}
    mirrored = function_of("30", "twin", **stubs)(model, 3)
    x, mask = torch.randn(5, 6, 24), torch.zeros(5, 1, 1, 6)

    def states(layer):
        found = layer(x, mask)
        return found[0] if isinstance(found, tuple) else found

    for layer, other in zip(model.layers, mirrored.layers, strict=True):
        torch.testing.assert_close(states(layer), states(other), atol=1e-5, rtol=1e-5)
        for part in (lambda one: one.intermediate, lambda one: one.attention.output):
            weights = part(layer).dense.weight, part(other).dense.weight
            assert not torch.equal(*weights)


def test_shares_are_averaged_and_not_logits():
    log_shares = function_of("30", "log_shares")
    together = function_of("30", "together", log_shares=log_shares)
    sure, unsure = np.array([[9.0, 0.0]]), np.array([[0.0, 0.2]])
    mean = (np.exp(log_softmax(sure, 1)) + np.exp(log_softmax(unsure, 1))) / 2
    assert np.allclose(np.exp(together([sure, unsure])), mean)


def test_the_temperature_is_fitted_on_the_validation_rows_only():
    random = np.random.default_rng(0)
    labels = random.integers(2, size=400)
    honest = 2.0 * (
        labels + random.normal(size=400) - 0.5
    )  # log odds that come true / 2
    logits = np.stack([-honest / 2, honest / 2], axis=1)
    loss_of = function_of("30", "loss_of")
    assert np.isclose(loss_of(np.array([0, 1]), np.zeros((2, 2))), np.log(2))
    stubs = {
        "choosing_labels": labels[:300],
        "CHOOSE": 300,
        "LADDER": np.geomspace(0.25, 8, 81),
        "loss_of": loss_of,
    }
    temperature = function_of("30", "temperature", **stubs)
    once = temperature(logits)
    assert np.isclose(temperature(4 * logits) / once, 4, rtol=0.1)
    spoilt = logits.copy()
    spoilt[300:] *= -50
    assert temperature(spoilt) == once


def test_the_interval_is_students():
    differences = np.array([0.01, 0.03, -0.02, 0.04])
    found = function_of("30", "interval")(differences)
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert np.allclose([found.low, found.high], [expected.low, expected.high])


@pytest.mark.parametrize(
    ("low", "high", "good", "said"),
    [
        (-0.1, 0.1, +1, "not told from nothing"),
        (-0.2, -0.1, +1, "worth it"),
        (0.1, 0.2, +1, "better without it"),
        (0.1, 0.2, -1, "worth it"),
        (-0.2, -0.1, -1, "better without it"),
    ],
)
def test_the_verdict_follows_the_interval_and_what_is_good(low, high, good, said):
    from course_utils.evaluation import Interval

    effect = Interval((low + high) / 2, low, high)
    assert function_of("30", "verdict")(effect, good) == said


def test_the_notebook_shows_the_whole_glossary():
    outputs = cell_of(lesson("30"), "s13-all").outputs
    shown = "".join(o.get("data", {}).get("text/html", "") for o in outputs)
    for term in glossary.load():
        assert f"<b>{html.escape(term.name)}</b>" in shown
