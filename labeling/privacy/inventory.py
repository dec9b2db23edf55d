"""What is held about a labeler, row by row: what of it they get, and what becomes of it when they are erased.

`tests/labeling/privacy/test_inventory.py` walks the database's relations: a new row about a labeler must be listed here
before the suite passes, so that nobody forgets to decide.
"""

from dataclasses import dataclass

ACCOUNT = "account"
KEPT_FOR_PAY = "Kept under the pseudonym: pay records must be kept as long as the law says."
LABEL = "Kept under the pseudonym, in use or withdrawn from future datasets, as chosen."
DELETED = "Deleted."


@dataclass(frozen=True)
class Held:
    """Rows of one model. `owner` is the look-up that leads to the labeler, or after `account:` to their account."""

    model: str
    owner: str
    what: str
    at_erasure: str
    hidden: tuple[str, ...] = ()  # columns that are not the labeler's to read, or secrets

    @property
    def of_account(self) -> bool:
        return self.owner.startswith(f"{ACCOUNT}:")

    @property
    def lookup(self) -> str:
        return self.owner.removeprefix(f"{ACCOUNT}:")

    @property
    def file(self) -> str:
        return f"{self.model.split('.')[-1]}.json"


HELD = (
    Held(
        "labeling.User",
        "account:pk",
        "The account: e-mail address, name, when it was made and last used.",
        "Address, name, password, roles and last log-in are emptied; the account is closed for good. The day it was "
        "made stays.",
        ("password",),
    ),
    Held(
        "account.EmailAddress", "account:user", "The address as the log-in knows it.", "Deleted; the address is free."
    ),
    Held(
        "labeling.Labeler",
        "pk",
        "Pseudonym, cohort, state, topics left out, the rate of today.",
        "Pseudonym, cohort and the day of joining stay, so that no one else gets the pseudonym; topics and rate are "
        "emptied; the state becomes “left”.",
    ),
    Held(
        "labeling.Invitation",
        "account:accepted_by",
        "The invitation that the account came by.",
        "Address and link are emptied, also in earlier invitations to this address; role, cohort and dates stay.",
        ("token",),
    ),
    Held(
        "labeling.StateChange",
        "labeler",
        "When one was invited, screened, at work, paused, and why.",
        "Kept under the pseudonym; the reasons in somebody's own words are emptied.",
    ),
    Held("labeling.Sitting", "labeler", "When the screening was begun and sent in.", DELETED),
    Held("labeling.Response", "sitting__labeler", "Answers in the screening.", DELETED),
    Held("labeling.Grade", "response__sitting__labeler", "Grades that the answers got.", DELETED),
    Held("labeling.Rate", "labeler", "Every rate of pay and since when.", KEPT_FOR_PAY),
    Held("labeling.ActiveSpan", "labeler", "Active time, from when to when, at which piece.", KEPT_FOR_PAY),
    Held(
        "labeling.Assignment",
        "labeler",
        "Every piece taken: when, how it ended, why it was skipped.",
        "Kept under the pseudonym: labels and active time hang on it. What was still held is given back.",
    ),
    Held(
        "labeling.Draft", "assignment__labeler", "What was written and not sent in, or is being corrected.", "Emptied."
    ),
    Held(
        "labeling.Demonstration",
        "labeler",
        "Answers written.",
        f"{LABEL} What they said before corrections is deleted.",
    ),
    Held(
        "labeling.Ranking",
        "labeler",
        "Orders of completions, with the reasons.",
        f"{LABEL} The reasons in one's own words are emptied, and what it said before corrections is deleted.",
    ),
    Held("labeling.RankedCompletion", "ranking__labeler", "Place, rating and flags of each completion.", LABEL),
    Held(
        "labeling.Proposal",
        "labeler",
        "Prompts written, and what a researcher said to it.",
        f"{LABEL} What they said before corrections is deleted.",
    ),
    Held(
        "labeling.Acknowledgement",
        "labeler",
        "Guidelines confirmed, and when.",
        "Kept under the pseudonym: it says what the labels were made under.",
    ),
    Held("labeling.Cursor", "labeler", "How far one has come in the queue.", DELETED),
    Held("labeling.Thread", "labeler", "Conversations with the researchers.", "The title is emptied."),
    Held(
        "labeling.Post",
        "thread__labeler",
        "What was written in them. Of answers only that a researcher wrote them.",
        "What the labeler wrote is emptied; the researchers' answers stay. A precedent that was published from it "
        "stays: it is in the researcher's words and names nobody.",
    ),
    Held("labeling.Reading", "account:user", "How far messages were read.", DELETED),
    Held(
        "labeling.SurveyMark",
        "labeler",
        "That a survey was answered or put away. What was answered is held nowhere.",
        "Deleted; the counts of the survey stay, and are nobody's.",
    ),
    Held(
        "labeling.Erasure",
        "labeler",
        "The wish to be erased, and how it was carried out.",
        "Kept, as the record of it.",
    ),
    Held(
        "labeling.Exclusion",
        "labeler",
        "That the labels are left out of datasets, since when and why.",
        "Kept under the pseudonym: datasets that were frozen meanwhile say the same.",
    ),
    Held(
        "labeling.LabelerRows",
        "labeler",
        "How many rows are in which frozen dataset.",
        "Kept: frozen datasets stay as they are, and say how many rows are of labelers who withdrew theirs.",
    ),
)

# Relations to an account that say who did something in the office. A labeler's account has none; what somebody did as a
# researcher or admin before stays, by an account without a name.
ACTS = frozenset(
    {
        "labeling.Adjudication.held_by",
        "labeling.CardText.written_by",
        "labeling.Decision.made_by",
        "labeling.DriftItem.added_by",
        "labeling.Exclusion.lifted_by",
        "labeling.Exclusion.made_by",
        "labeling.GoldAnswer.author",
        "labeling.Grade.researcher",
        "labeling.Invitation.created_by",
        "labeling.Judgement.created_by",
        "labeling.Proposal.decided_by",
        "labeling.Precedent.published_by",
        "labeling.Precedent.withdrawn_by",
        "labeling.Promotion.by",
        "labeling.Promotion.ended_by",
        "labeling.Rate.set_by",
        "labeling.Reference.researcher",
        "labeling.Removal.by",
        "labeling.Round.created_by",
        "labeling.RoundEvent.who",
        "labeling.ScreeningSet.created_by",
        "labeling.StateChange.by",
        "labeling.Survey.opened_by",
        "labeling.Try.by",
        "labeling.Verdict.made_by",
        "labeling.Erasure.asked_by",
        "labeling.Erasure.done_by",
        "training.RunRequest.by",
        "admin.LogEntry.user",
    }
)
# Relations that other rows of the list stand for.
COVERED = {
    "labeling.Labeler.user": "labeling.Labeler",
    "labeling.Post.author": "labeling.Post",
    "labeling.User_groups.user": "labeling.User",
    "labeling.User_user_permissions.user": "labeling.User",
}
NOT_IN_ROWS = (
    ("Sessions", "Who is logged in where. Not in the export: they are keys.", "Deleted."),
    (
        "Frozen datasets",
        "Files that were made from labels before. Their rows carry the pseudonym.",
        "They stay, and the list of datasets says how many rows are of labelers who withdrew theirs.",
    ),
    (
        "Back-ups and logs of the server",
        "Outside of Podium.",
        "They go when the people who run the server let them go; ask them.",
    ),
)
