"""What a run will do: tokens counted, the machine measured, advice taken."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from course_utils import planner
from course_utils.own_data import advice, machine, models, training
from course_utils.own_data.language import language

SAMPLE = 20_000  # texts whose tokens are counted before a plan is made


def decide(
    ready, session, tokenizer, network, english: bool, minutes: float, chosen: dict, say
) -> dict[str, Any]:
    """Count tokens, measure the machine, take advice; return what was decided, for JSON."""
    learn = ready.part("training")["text"]
    some = learn.sample(min(SAMPLE, len(learn)), random_state=session.seed).tolist()
    counts = [len(ids) for ids in tokenizer(some, truncation=False)["input_ids"]]
    found = machine.look(session)
    trial = training.Settings(precision=chosen.get("precision", found.precision))
    advised = advice.advise(
        np.resize(counts, len(learn)),
        config=network.config,
        longest=models.longest(tokenizer, network.config),
        machine=found,
        classes=len(ready.labels),
        minutes=minutes,
        speed=machine.speed(network, lambda: training.autocast(trial, session.device)),
        seed=session.seed,
        **chosen,
    )
    odd = language(some[:200], counts[:200]) if english else []
    plan = advised.plan
    for line in (*map(str, [*odd, *advised.findings]), *advised.reasons, planned(plan)):
        say(line)
    findings = [*ready.findings, *odd, *advised.findings]
    return {
        "settings": asdict(advised.settings),
        "rows": advised.rows,
        "reasons": advised.reasons,
        "findings": [finding.as_dict() for finding in findings],
        "plan": {
            "planned_seconds": plan.seconds if plan else None,
            "planned_mib": plan.peak if plan else None,
        },
    }


def planned(plan: planner.Plan | None) -> str:
    """Return a sentence on what a training is planned to cost."""
    if plan is None or plan.seconds is None:
        return "Planned: unknown for this kind of model."
    return (
        f"Planned: about {max(plan.minutes, 0.1):.1f} minutes of training, fewer if it "
        f"stops early, and {plan.peak:,.0f} MiB for model and batches."
    )
