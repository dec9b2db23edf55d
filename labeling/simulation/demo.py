"""The demonstration: its accounts, prompts, texts and round. Each is made once, however often it is asked for."""

from collections.abc import Callable
from typing import Any, NamedTuple

from labeling.exports import freeze
from labeling.guidelines.publish import ensure_first
from labeling.labelers.enroll import enroll, give_role
from labeling.labelers.models import Cohort, Labeler, Role, User
from labeling.prompts import intake
from labeling.prompts.models import Split
from labeling.rounds.models import Round
from labeling.rounds.opening import open_round
from labeling.rounds.plan import is_peoples
from labeling.simulation.people import Person, population
from labeling.simulation.sizes import Size
from labeling.simulation.work import work_until_idle
from labeling.simulation.world import World

RESEARCHER, LABELER, ADMIN = "researcher@podium.example", "labeler@podium.example", "admin@podium.example"
SOURCE = "miniature"
# People's stages and the cohort that works on them.
COHORT_OF = {
    "demonstrate": Cohort.TRAINING,
    "rank": Cohort.TRAINING,
    "rank_valid": Cohort.HELD_OUT,
    "judge": Cohort.HELD_OUT,
}


class Account(NamedTuple):
    email: str
    does: str


ACCOUNTS = (
    Account(LABELER, "writes and ranks"),
    Account(RESEARCHER, "brings in prompts, watches rounds and runs"),
    Account(ADMIN, "invites labelers; also /admin/"),
)


def make_accounts(password: str) -> None:
    """One account per role, all with this password. Those that exist keep theirs."""
    _account(RESEARCHER, "Rosa Researcher", password, Role.RESEARCHER)
    _account(ADMIN, "Ada Admin", password, Role.RESEARCHER, Role.ADMIN, is_staff=True, is_superuser=True)
    user = _account(LABELER, "Lena Labeler", password)
    if not Labeler.objects.filter(user=user).exists():
        enroll(user, cohort=Cohort.TRAINING)


def round_name(size: Size, seed: int) -> str:
    return f"The miniature ({size.name}, seed {seed})"


def find_or_open_round(size: Size, seed: int) -> Round:
    """The demonstration's round of this size and seed. What it needs is found by content, so nothing is doubled."""
    name = round_name(size, seed)
    if there := Round.objects.filter(name=name).first():
        return there
    world = World(seed)
    counts = {
        Split.TRAIN: size.demonstration_prompts + size.ranking_prompts,
        Split.VALID: size.valid_ranking_prompts,
        Split.TEST: size.test_prompts,
    }
    for split, count in counts.items():
        rows = [_row(prompt.text, prompt.use_case, split) for prompt in world.prompts(split, count)]
        intake.take_in(rows, source=SOURCE)
    settings = {
        "prompts": {
            "source": SOURCE,
            "demonstrate": size.demonstration_prompts,
            "rank": size.ranking_prompts,
            "rank_valid": size.valid_ranking_prompts,
            "judge": size.test_prompts,
            "requeue": size.new_ranking_prompts,
        },
        "guidelines": {purpose.value: guideline.pk for purpose, guideline in ensure_first().items()},
        "texts": freeze.freeze_texts(world.corpus(size.documents)).pk,
        "valid_texts": freeze.freeze_texts(world.valid_texts(size.valid_documents)).pk,
        "k": size.samples_per_prompt,
        "mix": None,
        "overlap": 0.12,
        "judges": size.judgements_per_prompt,
        "specs": _specs(size),
    }
    return open_round(name=name, settings=settings, seed=seed, user=User.objects.get(email=RESEARCHER))


def labelers(size: Size, seed: int) -> list[Person]:
    return population(training=size.labelers, held_out=size.heldout_labelers, seed=seed)


def do_peoples_work(round: Round, people: list[Person], *, on_label: Callable[[], None]) -> int:
    """The simulated labelers do what the round's running stages ask of their cohort; how many labels it was.

    What the round leaves open at its end, rankings of the new policy's samples, is for a person to look at.
    """
    stages = round.stages.filter(state="running", batch__isnull=False).values_list("name", flat=True)
    cohorts = {COHORT_OF[name] for name in stages if is_peoples(name)}
    return work_until_idle([person for person in people if person.labeler.cohort in cohorts], on_label=on_label)


def _specs(size: Size) -> dict[str, dict[str, Any]]:
    names = ("pretrain", "sft", "sample", "reward_model", "ppo", "ppo_ptx", "evaluate")
    return {name: dict(getattr(size, name)) for name in names}


def _row(text: str, use_case: str, split: str) -> dict[str, str]:
    return {"prompt": text, "use_case": use_case, "split": split}


def _account(email: str, name: str, password: str, *roles: Role, **fields: bool) -> User:
    user = User.objects.filter(email=email).first()
    user = user or User.objects.create_user(email, password, name=name, **fields)
    for role in roles:
        give_role(user, role)
    return user
