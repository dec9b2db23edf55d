"""The settings of the miniature InstructGPT run, by size: how much of everything, and one spec per recipe.

`mini` is the demonstration: the figures in docs/lab-log.md were measured with it. `toy` runs the same code path in two
minutes and claims nothing about quality. Everything is counted in steps and rows, never in time, so that a slow
machine gets the same result later.
"""

from dataclasses import dataclass, field

from labeling.rounds.miniature import MINIATURE, Spec
from labeling.rounds.miniature import TOY as SMALLEST


@dataclass(frozen=True)
class Size:
    name: str

    # The world
    documents: int  # base corpus
    valid_documents: int  # held-out language-model loss, the measure of the alignment tax

    # People
    labelers: int  # training cohort
    heldout_labelers: int  # judge the final comparison, never train anything
    demonstration_prompts: int
    ranking_prompts: int  # one ranking each, as most comparisons in the paper
    valid_ranking_prompts: int  # ranked by the held-out cohort: the reward model's accuracy
    samples_per_prompt: int  # K
    test_prompts: int
    judgements_per_prompt: int  # different held-out labelers on the same test prompt
    new_ranking_prompts: int  # the next round's first items, with samples of the trained policy

    # Recipes (training/contract/specs)
    pretrain: Spec = field(default_factory=dict)
    sft: Spec = field(default_factory=dict)
    sample: Spec = field(default_factory=dict)
    reward_model: Spec = field(default_factory=dict)
    ppo: Spec = field(default_factory=dict)
    ptx: Spec = field(default_factory=dict)  # what PPO-ptx changes in `ppo`
    evaluate: Spec = field(default_factory=dict)

    @property
    def ppo_ptx(self) -> Spec:
        return {**self.ppo, **self.ptx}


MINI = Size(
    name="mini",
    documents=90_000,
    valid_documents=2_000,
    labelers=10,
    heldout_labelers=5,
    demonstration_prompts=1_800,
    ranking_prompts=2_400,
    valid_ranking_prompts=300,
    samples_per_prompt=6,  # 15 pairs a ranking instead of 6, for the same clicks
    test_prompts=400,
    judgements_per_prompt=3,
    new_ranking_prompts=100,
    pretrain=MINIATURE["pretrain"],
    sft=MINIATURE["sft"],
    sample=MINIATURE["sample"],
    reward_model=MINIATURE["reward_model"],
    ppo=MINIATURE["ppo"],
    ptx=MINIATURE["ptx"],
    evaluate=MINIATURE["evaluate"],
)

TOY = Size(
    name="toy",
    documents=8_000,
    valid_documents=300,
    labelers=3,
    heldout_labelers=2,
    demonstration_prompts=150,
    ranking_prompts=100,
    valid_ranking_prompts=30,
    samples_per_prompt=4,
    test_prompts=40,
    judgements_per_prompt=2,
    new_ranking_prompts=10,
    pretrain=SMALLEST["pretrain"],
    sft=SMALLEST["sft"],
    sample=SMALLEST["sample"],
    reward_model=SMALLEST["reward_model"],
    ppo=SMALLEST["ppo"],
    ptx=SMALLEST["ptx"],
    evaluate=SMALLEST["evaluate"],
)

SIZES: dict[str, Size] = {size.name: size for size in (MINI, TOY)}
