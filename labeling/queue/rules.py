"""Which items a labeler may get, as a sequence of small rules. The claim's SQL is made of them (line.py), the page that
explains the queue lists them, and `explain.py` asks them one by one: there is no second version that could go stale."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A condition that an item `w` must meet. Its parameters are `lane`, `labeler` and `unwanted` (topics)."""

    name: str
    sentence: str
    sql: str


COHORT = Rule(
    "Kind and cohort",
    "A labeler gets work of the kind they asked for, out of batches for their own cohort. So a held-out labeler gets "
    "nothing out of a batch for the training cohort, nor the other way round; a batch for evaluation is for the cohort "
    "that it was opened for.",
    "w.lane = %(lane)s",
)
WANTED = Rule(
    "Still wanted",
    "An item is given out as long as fewer labelers have it or have done it than it needs, and not while it is held, "
    "while its batch is paused, or once it is withdrawn.",
    "w.is_open",
)
TOPICS = Rule(
    "Topics",
    "Nobody gets an item that touches a topic they opted out of.",
    "NOT w.topics && %(unwanted)s::varchar[]",
)
AUTHORS = Rule(
    "Nobody ranks what they wrote",
    "An item is passed by where a completion has the words of the labeler’s own demonstration for the prompt.",
    "%(labeler)s::bigint <> ALL (w.authors)",
)
NEVER_TWICE = Rule(
    "Never twice",
    "A labeler who has had an item is not given it a second time. Only a lease that ran out, or a piece put aside with "
    "“not now”, may come back, when nothing else is open.",
    "NOT EXISTS (SELECT 1 FROM labeling_assignment a WHERE a.labeler_id = %(labeler)s AND a.item_id = w.id)",
)

RULES = (COHORT, WANTED, TOPICS, AUTHORS, NEVER_TWICE)
# The same without the last one: what a labeler has had before, and may take up again.
AGAIN = tuple(rule for rule in RULES if rule is not NEVER_TWICE)


def where(rules: tuple[Rule, ...]) -> str:
    return "\n          AND ".join(rule.sql for rule in rules)
