"""Work for the known people: prompts, completions of a sampling run, and batches in the queue."""

from collections.abc import Sequence

from labeling.guidelines.publish import current
from labeling.models import Batch, Cohort, Completion, Kind, Prompt, Purpose, Split
from labeling.prompts import intake
from labeling.queue import dispatch
from labeling.queue.fill import Brief
from training.models import Checkpoint, Run, RunParent


def make_prompts(count: int, *, start: int = 0) -> list[Prompt]:
    texts = [f"What is {number} plus one?" for number in range(start, start + count)]
    intake.take_in([{"prompt": text, "split": Split.TRAIN} for text in texts], source="test")
    return list(Prompt.objects.filter(text__in=texts).order_by("created_at", "id"))


def make_sampling_run(name: str = "sample") -> Run:
    run = Run.objects.create(recipe="sample", name=name, spec={}, seed=1, state=Run.State.DONE)
    policy = Checkpoint.objects.create(name=f"policy of {name}", kind="policy", path=f"runs/{run.pk}-parent/checkpoint")
    RunParent.objects.create(run=run, role="policy", checkpoint=policy)
    return run


def make_completions(run: Run, prompt: Prompt, texts: Sequence[str]) -> list[Completion]:
    checkpoint = run.parents.get(role="policy").checkpoint
    return Completion.objects.bulk_create(
        Completion(prompt=prompt, run=run, checkpoint=checkpoint, sample=sample, text=text, finished=True)
        for sample, text in enumerate(texts)
    )


def make_batch(kind: Kind, cohort: Cohort = Cohort.TRAINING, purpose: Purpose = Purpose.TRAINING) -> Batch:
    return dispatch.open_batch(
        name=f"{kind} for {cohort}", kind=kind, purpose=purpose, cohort=cohort, guideline=current(purpose)
    )


def writing_work(count: int = 1, *, need: int = 1, cohort: Cohort = Cohort.TRAINING, start: int = 0) -> Batch:
    """A batch of `count` prompts to answer."""
    batch = make_batch(Kind.DEMONSTRATE, cohort)
    dispatch.add_demonstration_items(batch, make_prompts(count, start=start), need=need)
    return batch


def ranking_work(
    count: int = 1,
    *,
    need: int = 1,
    cohort: Cohort = Cohort.TRAINING,
    texts: Sequence[str] = ("one", "two", "three", "four"),
) -> Batch:
    """A batch of `count` prompts, each with these texts to rank."""
    batch = make_batch(Kind.RANK, cohort)
    run = make_sampling_run()
    groups = [(prompt, make_completions(run, prompt, texts)) for prompt in make_prompts(count)]
    dispatch.add_ranking_items(batch, groups, need=need)
    return batch


def proposing_work(*briefs: Brief, need: int = 1) -> Batch:
    """A batch that asks for prompts; without briefs for a plain one."""
    batch = make_batch(Kind.PROPOSE)
    wanted = briefs or [Brief(shape="plain", use_case="", text="")]
    dispatch.add_proposal_items(batch, wanted, need=need)
    return batch
