"""Vision: the network and its weights, what it is shown, what it refuses."""

import socket

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import assets, vision
from course_utils.errors import InputError


@pytest.fixture(scope="module")
def network():
    return vision.efficientnet_lite0(seed=0)


@pytest.fixture(scope="module")
def photographs():
    return vision.photographs()


@pytest.mark.parametrize(
    ("name", "label", "probability"), [("chelsea", 285, 0.77), ("coffee", 967, 0.90)]
)
def test_a_photograph_is_recognised(network, photographs, name, label, probability):
    with torch.no_grad():
        scores = network(vision.preprocess([photographs[name]])).softmax(dim=1)[0]
    assert scores.argmax() == label
    assert scores[label] == pytest.approx(probability, abs=0.02)


def test_the_weight_file_lists_the_layers_in_the_networks_order(network):
    path = assets.fetch("image_cnn") / assets.ASSETS["image_cnn"].required[0]
    stored = torch.load(path, weights_only=True)
    for (ours, tensor), (theirs, trained) in zip(
        network.state_dict().items(), stored.items(), strict=True
    ):
        assert ours.split(".")[-1] == theirs.split(".")[-1]
        assert torch.equal(tensor, trained)


def test_a_new_head_keeps_the_body_and_depends_on_the_seed_alone(network):
    before = torch.random.get_rng_state()
    first, again, other = (
        vision.efficientnet_lite0(num_classes=5, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.classifier.weight.shape == (5, 1280) and not first.training
    assert torch.equal(first.classifier.weight, again.classifier.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)
    assert torch.equal(first.head.conv.weight, network.head.conv.weight)


def test_random_weights_need_no_file_and_train(monkeypatch):
    monkeypatch.setattr(assets, "fetch", lambda name: pytest.fail("fetched"))
    network = vision.efficientnet_lite0(pretrained=False, num_classes=3, seed=0).train()
    network(torch.randn(4, 3, 64, 64)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("size", [0, -2, 2.0, "10", True, None])
def test_a_wrong_head_size_is_refused_in_a_sentence(size):
    with pytest.raises(InputError, match=r"Expected num_classes.*; got .*\. Give "):
        vision.efficientnet_lite0(pretrained=False, num_classes=size, seed=0)


@pytest.mark.parametrize(("height", "width"), [(224, 224), (200, 333)])
def test_features_have_the_documented_strides_and_channels(network, height, width):
    with torch.no_grad():
        maps = network.features(torch.zeros(2, 3, height, width))
    assert {stride: tuple(each.shape) for stride, each in maps.items()} == {
        stride: (2, channels, -(-height // stride), -(-width // stride))
        for stride, channels in {4: 24, 8: 40, 16: 112, 32: 320}.items()
    }


def test_preprocess_scales_and_treats_arrays_and_pil_images_alike(photographs):
    array = photographs["rocket"]
    batch = vision.preprocess([array, Image.fromarray(array)], size=64)
    assert batch.shape == (2, 3, 64, 64) and batch.dtype == torch.float32
    assert torch.equal(batch[0], batch[1]) and batch.is_contiguous()
    assert torch.equal(vision.preprocess(array, size=64), batch[:1])
    red = np.zeros((32, 32, 3), dtype=np.uint8)
    red[..., 0] = 255
    values = vision.preprocess([red], size=32)[0].mean(dim=(1, 2)).tolist()
    assert values == [1.0, -127 / 128, -127 / 128]


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((8, 8), dtype=np.uint8), r"uint8 \[8, 8\]"),
        (np.zeros((8, 8, 3)), r"float64 \[8, 8, 3\]"),
        (np.zeros((8, 8, 4), dtype=np.uint8), r"uint8 \[8, 8, 4\]"),
        (torch.zeros(3, 8, 8), r"float32 \[3, 8, 8\]"),
        (Image.new("L", (8, 8)), "mode 'L'"),
        (Image.new("RGBA", (8, 8)), "mode 'RGBA'"),
        (Image.new("HSV", (8, 8)), "mode 'HSV'"),
        ("cat.png", "<U7"),
    ],
)
def test_preprocess_refuses_other_images_in_a_sentence(image, got):
    with pytest.raises(
        InputError, match=rf"^Expected RGB images.*; got {got}.*\. Use "
    ):
        vision.preprocess([image])


def test_photographs_need_no_network(monkeypatch):
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("network"))
    photographs = vision.photographs()
    assert {"chelsea", "coffee", "astronaut", "rocket", "brick"} <= set(photographs)
    assert len(photographs) >= 10
    for array in photographs.values():
        assert array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3
        assert min(array.shape[:2]) >= 300


def test_photographs_say_what_to_install(monkeypatch):
    monkeypatch.setattr(vision.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"Expected .*; got .*pip install scikit-image"
    ):
        vision.photographs()


def test_sprites_by_pattern():
    cards = vision.sprites("cards/card[CDHS]*")
    assert len(cards) == 52 and list(cards) == sorted(cards)
    assert all(image.mode == "RGBA" for image in cards.values())
    alpha = np.array(vision.sprites("items/coinGold")["items/coinGold"])[..., 3]
    assert alpha.min() == 0 and alpha.max() == 255  # transparent round the coin
    with pytest.raises(InputError, match=r"cards/\*.*; got 'dragons/\*'"):
        vision.sprites("dragons/*")
