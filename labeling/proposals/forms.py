"""The labeler's form as it is posted, drafted or stored, and the researcher's forms.

The labeler's fields: text · use_case · query and response, as often as there are pairs.
"""

from dataclasses import dataclass, field
from itertools import zip_longest

from django import forms
from django.http import QueryDict

from labeling.models import Cohort, Proposal, Split, UseCase
from labeling.proposals.decide import NOTE
from labeling.proposals.render import Pair
from labeling.proposals.submit import MAX_PAIRS, MIN_PAIRS


@dataclass(frozen=True)
class Written:
    """What stands in the labeler's form."""

    text: str = ""
    use_case: str = ""
    pairs: list[Pair] = field(default_factory=list)

    def with_pair(self) -> "Written":
        """With one more blank pair, up to the most there may be."""
        return Written(self.text, self.use_case, [*self.pairs, blank()][: max(MAX_PAIRS, len(self.pairs))])

    def without_pair(self, index: int) -> "Written":
        return Written(self.text, self.use_case, [*self.pairs[:index], *self.pairs[index + 1 :]])

    def shown(self) -> "Written":
        """With at least as many pairs as there must be."""
        missing = max(0, MIN_PAIRS - len(self.pairs))
        return Written(self.text, self.use_case, [*self.pairs, *(blank() for _ in range(missing))])


def blank() -> Pair:
    return {"query": "", "response": ""}


def read(posted: QueryDict) -> Written:
    said = zip_longest(posted.getlist("query"), posted.getlist("response"), fillvalue="")
    return Written(
        text=str(posted.get("text", "")),
        use_case=str(posted.get("use_case", "")),
        pairs=[{"query": str(query), "response": str(response)} for query, response in said],
    )


def stored(proposal: Proposal) -> Written:
    return Written(proposal.text, proposal.use_case, proposal.pairs)


class TakeForm(forms.Form):
    """What a researcher makes of a proposal."""

    text = forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}))
    use_case = forms.ChoiceField(label="Use case", choices=UseCase.choices)
    split = forms.ChoiceField(required=False, choices=[("", "where this labeler’s others are"), *Split.choices])
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class RefuseForm(forms.Form):
    """Why not."""

    note = forms.CharField(
        label="What you tell the labeler", max_length=NOTE, widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )


class AskForm(forms.Form):
    """How many prompts of which shape, from whom."""

    name = forms.CharField(max_length=200, initial="Prompts by labelers", help_text="What the batch is called.")
    cohort = forms.ChoiceField(choices=Cohort.choices, help_text="Which labelers are asked.")
    plain = forms.IntegerField(
        min_value=0, max_value=5000, initial=0, help_text="Any task a labeler comes up with: how many prompts."
    )
    few_shot = forms.IntegerField(
        label="Few-shot",
        min_value=0,
        max_value=5000,
        initial=0,
        help_text="An instruction with pairs of a query and a response. Of K pairs K prompts are made.",
    )
    briefs = forms.CharField(
        label="User-based",
        required=False,
        strip=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}),
        help_text="What users want to do, one a line, after its use case: <code>brainstorming: An app that helps to "
        "plan a garden</code>",
    )
    need = forms.IntegerField(
        label="Prompts for each user-based line",
        min_value=1,
        max_value=100,
        initial=1,
        help_text="By different labelers.",
    )
