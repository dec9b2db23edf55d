"""Labels of people who had them withdrawn stay out of every dataset that is frozen from then on."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from labeling.labelers.models import Labeler
from labeling.prompts.models import Prompt

Label = TypeVar("Label", bound=Model)


def withdrawn_labelers() -> QuerySet[Labeler]:
    """Those whose erasure was carried out with that choice."""
    return Labeler.objects.filter(erasures__choice="withdraw", erasures__done_at__isnull=False)


def labels_in_use(labels: QuerySet[Label]) -> QuerySet[Label]:
    """Rows with a `labeler`, without those of labelers who had theirs withdrawn."""
    return labels.exclude(labeler__in=withdrawn_labelers())


def prompts_in_use(prompts: QuerySet[Prompt]) -> QuerySet[Prompt]:
    """Without the prompts that such a labeler wrote."""
    return prompts.exclude(proposals__labeler__in=withdrawn_labelers())
