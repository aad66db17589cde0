"""One training script in one process and in two: same batch, same losses, nothing left behind.

Two processes run over gloo on the CPU and talk over the loopback address only. What needs GPUs or a
cluster is read, not run.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from conftest import cell_of, lesson
from tools.notebooks import ROOT, paths

SCALING = ROOT / "scaling"
SCRIPT = SCALING / "train.py"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--local_addr", "127.0.0.1"]
EPOCHS = ["--epochs", "2", "--rate", "5e-4"]
LOOPBACK = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)


@dataclass(frozen=True)
class Place:
    """A folder with texts to train on, and the model."""

    folder: Path
    model: str

    def run(self, *start: str, options=(), seconds=180.0, started=0) -> dict:
        """Run the script to its end and return its report; leave no process behind.

        The seconds are counted once `started` processes are there.
        """
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        command = [
            sys.executable,
            *start,
            SCRIPT,
            self.folder / "texts.csv",
            self.model,
        ]
        command += ["--cpu", "--layers", "1", "--report", report, *options]
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "TRANSFORMERS_VERBOSITY": "error",
        }
        environment |= {"GLOO_SOCKET_IFNAME": LOOPBACK} if LOOPBACK else {}
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        command = [str(part) for part in command]
        with subprocess.Popen(command, env=environment, **output) as process:
            try:
                while len(self.processes()) < started and process.poll() is None:
                    time.sleep(0.1)
                said, _ = process.communicate(timeout=seconds)
            finally:
                stop(process.pid)
        assert self.left_behind() == []
        if process.returncode:
            raise RuntimeError(said[-3000:])
        return json.loads(report.read_text("utf-8"))

    def processes(self) -> list[int]:
        """Return the processes that name this folder on their command line."""
        return [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.folder) in part for part in process.info["cmdline"] or ())
        ]

    def left_behind(self) -> list[int]:
        """Return the processes that are still there after a moment."""
        for _ in range(50):
            if not self.processes():
                break
            time.sleep(0.1)
        return self.processes()


def stop(pid: int) -> None:
    """Kill a process that is still there, and before it those that it started."""
    try:
        first = psutil.Process(pid)
        family = [*first.children(recursive=True), first]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Thirty-two texts of two classes, and the course's encoder."""
    from course_utils import pretrained

    folder = tmp_path_factory.mktemp("scaling")
    words = ["a fine film", "dull and far too long", "it moved me", "a waste of time"]
    lines = [f"{words[n % 4]} number {n},{1 - n % 2}" for n in range(32)]
    (folder / "texts.csv").write_text(
        "text,label\n" + "\n".join(lines), encoding="utf-8"
    )
    return Place(folder, pretrained.checkpoint("encoder").path)


@pytest.fixture(scope="module")
def alone(place):
    """What one process reports."""
    return place.run(options=EPOCHS)


@pytest.mark.slow
def test_one_process_sees_every_text(alone):
    assert alone["processes"] == 1
    assert alone["texts_per_process"] == 64
    assert len(alone["losses"]) == 4
    # Four steps of few texts are noisy: one of them, at least, is better than the first.
    assert min(alone["losses"][1:]) < alone["losses"][0]


@pytest.mark.slow
def test_two_processes_see_the_same_batches_and_get_the_same_losses(place, alone):
    saved = place.folder / "saved"
    options = [*EPOCHS, "--save", saved]
    two = place.run(*TORCHRUN, "--nproc_per_node", "2", options=options)
    assert (saved / "model.safetensors").is_file()
    assert two["processes"] == 2
    assert two["processes"] * two["texts_per_process"] == alone["texts_per_process"]
    assert two["losses"] == pytest.approx(alone["losses"], abs=1e-5)


@pytest.mark.slow
def test_accumulated_batches_give_the_same_losses(place, alone):
    pieces = place.run(options=[*EPOCHS, "--accumulate", "4"])
    assert pieces["texts_per_process"] == alone["texts_per_process"]
    assert pieces["losses"] == pytest.approx(alone["losses"], abs=1e-3)


@pytest.mark.slow
def test_another_seed_gives_other_losses(place, alone):
    """Else the three tests above would compare nothing."""
    other = place.run(options=[*EPOCHS, "--seed", "1"])
    assert (
        max(abs(a - b) for a, b in zip(other["losses"], alone["losses"], strict=True))
        > 1e-2
    )


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_is_refused(place):
    with pytest.raises(RuntimeError, match="--batch must be a multiple"):
        place.run(options=["--batch", "10", "--accumulate", "4"])


@pytest.mark.slow
def test_a_run_that_takes_too_long_leaves_no_process_behind(place):
    with pytest.raises(subprocess.TimeoutExpired):
        place.run(
            *TORCHRUN,
            "--nproc_per_node",
            "2",
            options=["--epochs", "100000"],
            seconds=2,
            started=3,  # torchrun and two workers
        )
    assert place.left_behind() == []


# The lesson builds this very script


def functions(source):
    tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M))
    return {
        node.name: ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.skipif(
    not any(path.name.startswith("28_") for path in paths()),
    reason="lesson 28 is not in notebooks/ yet",
)
def test_lesson_28_builds_this_script():
    notebook = lesson("28")
    names = ["arguments", "pieces", "load", "loop", "main"]
    taught = "\n\n".join(cell_of(notebook, f"s11-{name}").source for name in names)
    assert functions(taught) == functions(SCRIPT.read_text("utf-8"))
    header = {
        name
        for node in ast.walk(ast.parse(taught))
        if isinstance(node, ast.Constant) and "import" in str(node.value)
        for name in re.findall(r"\w+", str(node.value))
    }
    imported = [
        alias.name.split(".")[-1]
        for node in ast.parse(SCRIPT.read_text("utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    assert set(imported) <= header


# What was not run here can at least be read


def test_accelerate_knows_every_setting_of_the_fsdp_file():
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import FullyShardedDataParallelPlugin

    found = load_config_from_file(str(SCALING / "fsdp.yaml"))
    assert found.distributed_type == "FSDP" and found.num_processes > 1
    assert found.fsdp_config["fsdp_version"] == 2
    known = set(FullyShardedDataParallelPlugin.__dataclass_fields__)
    known |= {"version", "transformer_layer_cls_to_wrap", "offload_params"}
    assert {name.removeprefix("fsdp_") for name in found.fsdp_config} <= known


def test_the_wrapped_layer_is_a_layer_of_the_model():
    from transformers.models.bert import modeling_bert

    found = yaml.safe_load((SCALING / "fsdp.yaml").read_text("utf-8"))["fsdp_config"]
    assert hasattr(modeling_bert, found["fsdp_transformer_layer_cls_to_wrap"])


def test_deepspeeds_settings_agree_with_the_script():
    found = json.loads((SCALING / "deepspeed.json").read_text("utf-8"))
    assert found["zero_optimization"]["stage"] in (1, 2, 3)
    assert found["bf16"] == {"enabled": True}
    clip = re.search(r"clip_grad_norm_\(.*, ([\d.]+)\)", SCRIPT.read_text("utf-8"))
    assert found["gradient_clipping"] == float(clip[1])
    sizes = ("train_batch_size", "train_micro_batch_size_per_gpu")
    assert {found[name] for name in sizes} == {"auto"}  # the script's own count


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_can_read_the_slurm_file():
    done = subprocess.run(["bash", "-n", SCALING / "slurm.sbatch"], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_slurm_file_asks_for_the_processes_it_starts():
    text = (SCALING / "slurm.sbatch").read_text("utf-8")
    asked = re.search(r"--gpus-per-node=(\d+)", text)[1]
    assert re.search(r"--nproc_per_node (\d+)", text)[1] == asked
    shared(text, int(asked) * int(re.search(r"--nodes=(\d+)", text)[1]))


def test_the_kubernetes_file_asks_for_the_processes_it_starts():
    text = (SCALING / "kubernetes.yaml").read_text("utf-8")
    service, job = yaml.safe_load_all(text)
    assert (service["kind"], job["kind"]) == ("Service", "Job")
    spec = job["spec"]
    assert spec["completions"] == spec["parallelism"]
    assert spec["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    (container,) = spec["template"]["spec"]["containers"]
    words = " ".join(container["command"])
    gpus = container["resources"]["limits"]["nvidia.com/gpu"]
    assert f"--nnodes={spec['completions']} --nproc_per_node={gpus}" in words
    assert f"--master_addr={job['metadata']['name']}-0." in words
    shared(words, spec["completions"] * gpus)


def shared(text, processes):
    """Check that the batch on a command line can be shared by so many processes."""
    assert int(re.search(r"--batch[ =](\d+)", text)[1]) % processes == 0


def test_every_option_in_the_examples_is_one_of_the_scripts():
    known = set(re.findall(r'"(--\w+)"', SCRIPT.read_text("utf-8")))
    slurm = (SCALING / "slurm.sbatch").read_text("utf-8").split("scaling/train.py")[-1]
    job = (SCALING / "kubernetes.yaml").read_text("utf-8")
    job = job.split("- scaling/train.py")[1].split("env:")[0]
    assert set(re.findall(r"--\w+", slurm + job)) <= known


@pytest.mark.parametrize("name", ["fsdp.yaml", "slurm.sbatch", "kubernetes.yaml"])
def test_what_was_not_run_says_so(name):
    assert "Not run here" in (SCALING / name).read_text("utf-8")[:200]
    assert f"scaling/{name}" in (SCALING / "README.md").read_text("utf-8")
