"""Lesson 20: the widget's handler and the formulas that the lesson writes out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.nn import functional

from conftest import function_of

WIDGET = "look"
KINDS = ["key", "gem"]


# The widget


@pytest.fixture
def look():
    square = Image.new("RGBA", (16, 16), (255, 0, 0, 255))

    def more_red_is_a_gem(inputs):
        red = inputs[:, 0].mean(dim=(1, 2))
        return torch.stack([-10 * red, 10 * red], dim=1)

    centred = function_of(
        "20",
        "centred",
        np=np,
        Image=Image,
        ImageOps=ImageOps,
        SIDE=64,
        thumbnails={"square": square},
        backgrounds={"black": np.zeros((160, 200, 3), dtype=np.uint8)},
        sprites_of={"gem": {"known": ["square"]}},
        photos_of={"validation": ["black"]},
    )
    as_input = function_of("20", "as_input", torch=torch)
    stubs = {"centred": centred, "as_input": as_input, "tuned": more_red_is_a_gem}
    return function_of("20", "look", torch=torch, KINDS=KINDS, **stubs)


def test_size_and_answer(look):
    small, said = look("gem", 0.25, 0)
    assert small.shape == (64, 64, 3) and small.dtype == np.uint8
    assert (small[..., 0] > 127).sum() == 16 * 16 and said.startswith("key")
    large, said = look("gem", 1.0, 0)
    assert (large[..., 0] > 127).all() and said == "gem (100%)"


def test_the_thing_lies_in_the_middle_also_when_turned(look):
    rows, columns = np.nonzero(look("gem", 0.5, 45)[0][..., 0] > 127)
    assert rows.mean() == pytest.approx(31.5, abs=1)
    assert columns.mean() == pytest.approx(31.5, abs=1)


# The formulas


def test_normalise_is_batch_norm_in_evaluation_mode():
    normalise = function_of("20", "normalise")
    norm = nn.BatchNorm2d(3, eps=1e-3).train()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    norm(torch.randn(8, 3, 5, 5) * 2 + 1)
    maps = torch.randn(2, 3, 4, 4)
    assert torch.allclose(normalise(maps, norm), norm.eval()(maps), atol=1e-6)


def test_a_head_with_the_scale_folded_in_says_the_same():
    from sklearn.linear_model import LogisticRegression

    fit_head = function_of(
        "20",
        "fit_head",
        np=np,
        nn=nn,
        torch=torch,
        LogisticRegression=LogisticRegression,
    )
    random = np.random.default_rng(0)
    features = random.normal(3, 5, size=(60, 4)).astype(np.float32)
    features[:, 3] = 0  # a dead one
    labels = np.arange(60) % 3
    features[:, 0] += 10 * labels
    head = fit_head(features, torch.tensor(labels), 1.0)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    line = LogisticRegression(C=1.0, max_iter=1000)
    line.fit((features - mean) / spread, labels)
    with torch.no_grad():
        said = head(torch.tensor(features)).softmax(dim=1).numpy()
    expected = line.predict_proba((features - mean) / spread)
    assert np.allclose(said, expected, atol=1e-3)


def test_still_keeps_batch_norms_only():
    model_of = class_of("Classifier")
    for still in (True, False):
        model = model_of(nn.Sequential(nn.BatchNorm2d(3), nn.Dropout()), still=still)
        model.train()
        assert model.network[0].training is not still
        assert model.network[1].training and model.training
        model.eval()
        assert not any(part.training for part in model.modules())


def class_of(name):
    """Return a class that the lesson defines."""
    import ast
    from types import SimpleNamespace

    from conftest import lesson

    for cell in lesson("20").cells:
        if cell.cell_type == "code" and f"class {name}(" in cell.source:
            tree = ast.parse(cell.source)
            found = [n for n in tree.body if getattr(n, "name", None) == name]
            names = {"nn": nn, "F": functional, "SimpleNamespace": SimpleNamespace}
            exec(ast.unparse(found[0]), names)
            return names[name]
    return pytest.fail(f"lesson 20 defines no class {name!r}")


def test_mirror_and_recolour_keep_the_pixels():
    images = torch.rand(40, 3, 4, 4)
    random = torch.Generator().manual_seed(0)
    mirror = function_of("20", "mirror", torch=torch)
    changed = mirror(images, random)
    same = (changed == images).flatten(1).all(dim=1)
    turned = (changed == images.flip(3)).flatten(1).all(dim=1)
    assert (same | turned).all() and 0 < same.sum() < 40
    recolour = function_of("20", "recolour", torch=torch)
    changed = recolour(images, random)
    assert torch.equal(changed.sort(dim=1).values, images.sort(dim=1).values)
    assert not torch.equal(changed, images)


def test_wrong_scales_are_what_they_are_called():
    wrong = function_of("20", "wrong", torch=torch)
    pixels = torch.tensor([0.0, 127.0, 255.0])[:, None, None].expand(3, 2, 2)[None]
    images = (pixels - 127) / 128
    assert torch.equal(wrong(images, "right"), images)
    assert torch.allclose(wrong(images, "0 … 1"), pixels / 255, atol=1e-6)
    assert torch.equal(wrong(images, "BGR")[:, 0], images[:, 2])
    other = wrong(images, "another network's")
    assert float(other[0, 0, 0, 0]) == pytest.approx(-0.485 / 0.229, abs=1e-4)
    assert float(other[0, 2, 0, 0]) == pytest.approx((1 - 0.406) / 0.225, abs=1e-4)


class Two(nn.Module):
    """A network with blocks, whose 11th gives maps; the classes read them."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Identity() for _ in range(11))

    def forward(self, images):
        maps = self.blocks[10](images * 1.0)
        return torch.stack(
            [maps[:, 0].mean(dim=(1, 2)), -maps[:, 0].sum(dim=(1, 2))], 1
        )


def test_grad_cam_lies_where_the_class_is_read():
    grad_cam = function_of("20", "grad_cam", torch=torch, F=functional)
    bright = torch.full((1, 3, 8, 8), -1.0)
    bright[:, :, :4, :4] = 1.0
    bright.requires_grad_()
    heat = grad_cam(Two(), bright, torch.tensor([0]))
    assert heat.shape == (1, 8, 8) and float(heat.sum()) == pytest.approx(1, abs=1e-4)
    assert float(heat[0, :4, :4].sum()) > 0.99
    against = grad_cam(Two(), bright, torch.tensor([1]))
    assert float(against[0, :4, :4].sum()) < 0.01


def test_rows_of_a_draw_are_balanced_and_nested():
    from types import SimpleNamespace

    rows_for = function_of("20", "rows_for", np=np, course=SimpleNamespace(seed=1))
    labels = torch.arange(500) % 10
    few, more = rows_for(labels, 5, 0), rows_for(labels, 20, 0)
    assert set(few) <= set(more) and len(set(more)) == 200
    assert (np.bincount(labels.numpy()[few], minlength=10) == 5).all()
    assert set(rows_for(labels, 5, 1)) != set(few)


def test_the_paired_gain_of_equal_answers_is_nothing():
    from course_utils.evaluation import Interval

    paired_gain = function_of("20", "paired_gain", np=np, Interval=Interval)
    answers = np.random.default_rng(0).random((3, 50)) < 0.5
    assert tuple(paired_gain(answers, answers)) == (0, 0, 0)
    found = paired_gain(np.ones((3, 50)), answers)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(1 - answers.mean())
