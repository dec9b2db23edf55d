"""PURE. What can be set of a round, and what follows from it. `checks.py` says what cannot work.

Settings are a JSON object, fixed when the round is opened:

    run          the parts of the loop that this round goes through (PARTS); all where it is left out
    base         id of the checkpoint to start from; null trains one, which takes a spec "pretrain"
    instead      checkpoints that stand in for parts left out: {"sft": id, "ppo": id, "ppo_ptx": id, "reward_model": id}
    prompts      how many: {"source": "", "use_cases": [], "demonstrate": 400, "rank": 1500, "rank_valid": 150,
                 "judge": 250, "requeue": 60, "ppo": 0}; an empty source or list is any, ppo 0 is all train prompts
    k            completions per ranking item, 4 to 9
    rankings_per_prompt   items per ranked prompt, each with its own K completions
    sample_from  which policies the ranked completions come from: [{"checkpoint": id, "samples": n}, …], where null is
                 the SFT policy and the numbers add up to k x rankings_per_prompt; null: all from the SFT policy
    choose       which prompts are ranked: {"by": "random"}, or of a sampled pool those that a reward model is least
                 sure of: {"by": "ensemble" or "labelers", "pool": 3000, "reward_model": id}
    mix          settings of the batches of rankings for training (queue/settings.py), those left out at their defaults:
                 15 % of the items get three labelers; null mixes nothing in, and then
    overlap      is the share of the items, the first in the line, that two labelers get
    adjudicated  whether an item that was adjudicated is trained on as the decision, in place of its rankings
    policies     who is judged and measured: names of POLICIES and ids of other checkpoints, 2 to 9 for a judgement;
                 null: those of POLICIES that the round has
    judges       held-out labelers per judged prompt
    hold         stages that wait for a person's go before they start
    guidelines   {"training": id, "evaluation": id}
    texts, valid_texts    ids of datasets of kind texts: the pretraining distribution, and a held-out part of it
    targets      what is wished, which changes nothing: {"labels": 5000, "interval": 0.1} (width of a win rate's 95 %)
    budget       what people may spend: {"labels": 6000, "hours": 300}; the dry run warns of it, and when it is used up
                 the round pauses itself
    specs        settings per recipe: pretrain, sft, sample, score, reward_model, ppo, ppo_ptx, evaluate
    token        of the form that it was opened from; a form opens one round, however often it is sent
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.queue import settings as batches

# The four policies of the paper; others are existing checkpoints, named c<id>.
POLICIES = ("base", "sft", "ppo", "ppo_ptx")
PARTS = ("sft", "reward_model", "ppo_ptx", "ppo", "requeue", "judge", "evaluate")
CHOOSE_BY = ("random", "ensemble", "labelers")
STAND_INS = ("sft", "ppo", "ppo_ptx", "reward_model")


@dataclass(frozen=True)
class PromptCounts:
    demonstrate: int = 0
    rank: int = 0
    judge: int = 0
    rank_valid: int = 0
    requeue: int = 0
    source: str = ""
    use_cases: Sequence[str] = ()
    ppo: int = 0


@dataclass(frozen=True)
class Settings:
    prompts: PromptCounts
    specs: Mapping[str, dict[str, Any]]
    guidelines: Mapping[str, int] = field(default_factory=dict)
    run: Sequence[str] = PARTS
    base: int | None = None
    instead: Mapping[str, int] = field(default_factory=dict)
    texts: int | None = None
    valid_texts: int | None = None
    k: int = 4
    rankings_per_prompt: int = 1
    sample_from: Sequence[Mapping[str, Any]] | None = None
    choose: Mapping[str, Any] = field(default_factory=dict)
    mix: Mapping[str, Any] | None = field(default_factory=dict)
    overlap: float = 0.12
    adjudicated: bool = False
    policies: Sequence[str | int] | None = None
    judges: int = 1
    hold: Sequence[str] = ()
    targets: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""

    @property
    def mixed(self) -> batches.Settings:
        """How the batches of rankings for training are dealt out."""
        return batches.PLAIN if self.mix is None else batches.parse(dict(self.mix))

    @property
    def samples(self) -> int:
        """Completions sampled for a prompt that is ranked."""
        return self.k * self.rankings_per_prompt

    @property
    def sources(self) -> list[tuple[int | None, int]]:
        """Which checkpoint gives how many of them, in order; None is the SFT policy."""
        if self.sample_from is None:
            return [(None, self.samples)]
        return [(row["checkpoint"], row["samples"]) for row in self.sample_from]

    @property
    def choose_by(self) -> str:
        by: str = self.choose.get("by", "random")
        return by

    @property
    def is_chosen(self) -> bool:
        """Whether a reward model's doubt says which of the sampled prompts are ranked."""
        return "reward_model" in self.run and self.choose_by != "random"

    @property
    def pool(self) -> int:
        """Train prompts that are sampled, of which `prompts.rank` are ranked."""
        return int(self.choose["pool"]) if self.is_chosen else self.prompts.rank

    @property
    def judged(self) -> tuple[str, ...]:
        """Names of the policies that are judged and measured."""
        if self.policies is None:
            return tuple(name for name in POLICIES if self.has(name))
        return tuple(policy_name(policy) for policy in self.policies)

    @property
    def needs_base(self) -> bool:
        return "sft" in self.run or (self.is_measured and "base" in (self.policies or ()))

    @property
    def pretrains(self) -> bool:
        return self.needs_base and self.base is None

    @property
    def is_measured(self) -> bool:
        return bool({"judge", "evaluate"} & set(self.run))

    @property
    def needs_sft(self) -> bool:
        """Whether a part starts from the SFT policy: a reward model and PPO do."""
        return bool({"reward_model", "ppo", "ppo_ptx"} & set(self.run))

    @property
    def needs_texts(self) -> bool:
        sft = self.specs.get("sft")
        mixes = "sft" in self.run and isinstance(sft, Mapping) and bool(sft.get("pretraining_mix"))
        return self.pretrains or mixes or "ppo_ptx" in self.run

    @property
    def needs_valid_texts(self) -> bool:
        return self.pretrains or "evaluate" in self.run

    @property
    def newest(self) -> str | None:
        """The policy whose samples are put up for the next round."""
        return next((name for name in ("ppo_ptx", "ppo") if self.has(name)), None)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What people are instructed for, by a guideline each."""
        training = bool({"sft", "reward_model", "requeue"} & set(self.run))
        return (*(("training",) if training else ()), *(("evaluation",) if "judge" in self.run else ()))

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names of the specs that the round needs."""
        run = set(self.run)
        needed = {
            "pretrain": self.pretrains,
            "sft": "sft" in run,
            "sample": bool({"reward_model", "requeue", "judge"} & run),
            "reward_model": "reward_model" in run,
            "ppo": "ppo" in run,
            "ppo_ptx": "ppo_ptx" in run,
            "evaluate": "evaluate" in run,
        }
        return tuple(name for name, is_needed in needed.items() if is_needed)

    def makes(self, name: str) -> bool:
        """Whether the round trains this policy, or the reward model, itself."""
        return self.pretrains if name == "base" else name in self.run and name in (*POLICIES, "reward_model")

    def has(self, name: str) -> bool:
        """Whether the round has this policy, or a reward model: made in it, or a checkpoint that stands in."""
        if name == "base":
            return self.base is not None or "sft" in self.run
        return checkpoint_of(name) is not None or name in self.instead or self.makes(name)


def policy_name(policy: str | int) -> str:
    """One of POLICIES as it is; a checkpoint's id as c<id>: what stages are called after."""
    return policy if isinstance(policy, str) else f"c{policy}"


def checkpoint_of(name: str) -> int | None:
    """The id in c<id>; None for another name."""
    return int(name[1:]) if name[:1] == "c" and name[1:].isdecimal() else None
