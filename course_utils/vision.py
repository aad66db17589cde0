"""The image network EfficientNet-Lite0, written out, and the pictures it is shown."""

import importlib.util
import math
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from course_utils import assets
from course_utils.errors import InputError, choose_from

# Per stage: blocks, kernel, stride of its first block, expansion, channels.
_STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)
_LAST_BLOCK = {2: 4, 4: 8, 10: 16, 15: 32}  # the last block of each stride: stride
# The photographs in the scikit-image wheel that its documentation calls free of rights.
_PHOTOGRAPHS = (
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png"),
    *("coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg"),
    *("retina.jpg", "rocket.jpg"),
)


class ConvNorm(nn.Module):
    """Convolve, normalise and, where `active`, clip to 0…6 (ReLU6)."""

    def __init__(self, inputs, outputs, kernel, *, stride=1, groups=1, active=True):
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, groups=groups, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.active = active

    def forward(self, maps: Tensor) -> Tensor:
        """Take [batch, inputs, h, w] to [batch, outputs, ⌈h/stride⌉, ⌈w/stride⌉]."""
        # The weights were trained with TensorFlow's border: just wide enough, and where
        # it is odd the extra row and column lie at the bottom and on the right.
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        border = []  # left, right, top, bottom
        for length in (maps.shape[3], maps.shape[2]):
            total = (math.ceil(length / stride) - 1) * stride + kernel - length
            border += [max(total, 0) // 2, max(total + 1, 0) // 2]
        maps = self.norm(self.conv(nn.functional.pad(maps, border)))
        return nn.functional.relu6(maps) if self.active else maps


class MBConv(nn.Module):
    """Widen with 1x1, filter each channel by itself, narrow with 1x1; add the input."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvNorm(inputs, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(wide, wide, kernel, stride=stride, groups=wide)
        self.project = ConvNorm(wide, outputs, 1, active=False)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, maps: Tensor) -> Tensor:
        narrow = self.project(self.depthwise(self.expand(maps)))
        return maps + narrow if self.shortcut else narrow


class EfficientNetLite0(nn.Module):
    """EfficientNet-B0 without squeeze-excitation, with ReLU6 in place of swish."""

    def __init__(self, num_classes: int):
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, stride=2)
        self.blocks, inputs = nn.ModuleList(), 32
        for count, kernel, stride, expansion, outputs in _STAGES:
            for step in (stride, *[1] * (count - 1)):
                self.blocks.append(MBConv(inputs, outputs, kernel, step, expansion))
                inputs = outputs
        self.head = ConvNorm(inputs, 1280, 1)
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(1280, num_classes)

    def features(self, images: Tensor) -> dict[int, Tensor]:
        """Return the last map of each stride, 4, 8, 16 and 32 pixels.

        Takes float32 [batch, 3, height, width] from `preprocess`. The map of stride s
        is [batch, c, ⌈height/s⌉, ⌈width/s⌉] with c = 24, 40, 112 and 320.
        """
        maps, found = self.stem(images), {}
        for number, block in enumerate(self.blocks):
            maps = block(maps)
            if number in _LAST_BLOCK:
                found[_LAST_BLOCK[number]] = maps
        return found

    def embed(self, images: Tensor) -> Tensor:
        """Return what the classifier sees of each image: float32 [batch, 1280]."""
        return self.head(self.features(images)[32]).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: float32 [batch, num_classes]."""
        return self.classifier(self.dropout(self.embed(images)))


def efficientnet_lite0(*, pretrained: bool = True, num_classes: int = 1000, seed: int):
    """Build the image network (4.7 M parameters) with ImageNet's or random weights.

    Any `num_classes` but 1000 brings a new head. `seed` is that of the random weights;
    torch's own generator stays as it was. Returns an `EfficientNetLite0` in float32, on
    the CPU, in evaluation mode. Raises InputError for a `num_classes` that is no whole
    number from 1 up, AssetError if the weights cannot be fetched.

    Source: Tan & Le, EfficientNet, ICML 2019; Sandler et al., MobileNetV2, CVPR 2018.
    """
    if type(num_classes) is not int or num_classes < 1:
        raise InputError(
            "Expected num_classes, the size of the head: a whole number from 1 up; got "
            f"{num_classes!r}. Give the number of classes in your data."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = EfficientNetLite0(num_classes)
    if pretrained:
        path = assets.fetch("image_cnn") / assets.ASSETS["image_cnn"].required[0]
        stored = torch.load(path, map_location="cpu", weights_only=True)
        # The file names the layers otherwise but lists them in the same order.
        weights = dict(zip(network.state_dict(), stored.values(), strict=True))
        if num_classes != 1000:
            weights |= network.classifier.state_dict(prefix="classifier.")
        network.load_state_dict(weights, strict=True)
    return network.eval()


def preprocess(images, *, size: int = 224) -> Tensor:
    """Squeeze RGB images to squares and scale them as the network expects.

    Takes a list of uint8 arrays [height, width, 3] or PIL images of mode RGB (one image
    alone is a list of one). Returns (x - 127) / 128, float32 [batch, 3, size, size]; a
    `size` that 32 divides fits the strides. Raises InputError for any other image.
    """
    if isinstance(images, Image.Image) or getattr(images, "ndim", 4) == 3:
        images = [images]
    bicubic, side = Image.Resampling.BICUBIC, (size, size)
    squares = np.stack([np.asarray(_rgb(i).resize(side, bicubic)) for i in images])
    batch = torch.from_numpy(squares).permute(0, 3, 1, 2)  # channels first
    return (batch.float().contiguous() - 127) / 128


def photographs() -> dict[str, np.ndarray]:
    """Load the photographs inside scikit-image: name -> uint8 [height, width, 3].

    Grey ones get three equal channels. Nothing is downloaded. Raises InputError if
    scikit-image is not installed or lacks the files.

    Source: scikit-image's `skimage.data`: CC0, public domain or no known rights.
    """
    package = importlib.util.find_spec("skimage")  # found, not imported
    folder = Path(package.origin).parent / "data" if package else Path("skimage")
    files = [folder / name for name in _PHOTOGRAPHS]
    if missing := [file.name for file in files if not file.is_file()]:
        raise InputError(
            f"Expected scikit-image with its photographs; got it without {missing}, or "
            "not at all. Run `pip install scikit-image`."
        )
    return {file.stem: np.array(Image.open(file).convert("RGB")) for file in files}


def sprites(pattern: str = "*") -> dict[str, Image.Image]:
    """Load game sprites whose name fits a pattern: name -> PIL image of mode RGBA.

    Names look like "cards/cardSpadesA"; in "cards/*" or "*coin*" the star also stands
    for slashes. Raises InputError if no sprite has such a name, AssetError if the
    sprites cannot be fetched.

    Source: Kenney's sprites (CC0), which ship with the package arcade.
    """
    folder = assets.fetch("sprites")
    names = {f.relative_to(folder).as_posix()[:-4]: f for f in folder.rglob("*.png")}
    chosen = sorted(name for name in names if fnmatchcase(name, pattern))
    if not chosen:
        folders = sorted({name.split("/")[0] + "/*" for name in names})
        raise InputError(choose_from("a pattern that fits a sprite", pattern, folders))
    return {name: Image.open(names[name]).convert("RGBA") for name in chosen}


def _rgb(image) -> Image.Image:
    array = np.asarray(image)
    mode = image.mode if isinstance(image, Image.Image) else "RGB"
    if array.dtype == np.uint8 and array.shape[2:] == (3,) and mode == "RGB":
        return Image.fromarray(array)
    got = f"mode {mode!r}" if mode != "RGB" else f"{array.dtype} {list(array.shape)}"
    raise InputError(
        "Expected RGB images, uint8 [height, width, 3] or PIL images of mode 'RGB'; "
        f"got {got}. Use image.convert('RGB'), np.stack([grey] * 3, axis=-1), "
        "image[..., :3] for RGBA or (255 * image).astype(np.uint8) for 0…1."
    )
