"""Every row of the labeling half, under one import path. Each lives in the slice it belongs to."""

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.exports.models import Export, LabelerRows
from labeling.guidelines.models import Acknowledgement, Guideline, Purpose
from labeling.labelers.models import Cohort, Invitation, Labeler, Role, User
from labeling.pay.models import Rate
from labeling.privacy.models import Choice, Erasure
from labeling.prompts.models import Prompt, Split, Topic, UseCase
from labeling.proposals.models import Proposal, Shape
from labeling.queue.models import (
    ActiveSpan,
    Assignment,
    Batch,
    Cursor,
    Draft,
    Kind,
    WorkItem,
    WorkItemCompletion,
)
from labeling.rankings.models import RankedCompletion, Ranking
from labeling.rounds.models import Round, Stage
from labeling.rubrics.models import Rubric
from labeling.surveys.models import Survey, SurveyCount, SurveyMark
from labeling.threads.models import Post, Precedent, Reading, Thread

__all__ = [
    "Acknowledgement",
    "ActiveSpan",
    "Assignment",
    "Batch",
    "Choice",
    "Cohort",
    "Completion",
    "Cursor",
    "Demonstration",
    "Draft",
    "Erasure",
    "Export",
    "Guideline",
    "Invitation",
    "Kind",
    "Labeler",
    "LabelerRows",
    "Post",
    "Precedent",
    "Prompt",
    "Proposal",
    "Purpose",
    "RankedCompletion",
    "Ranking",
    "Rate",
    "Reading",
    "Role",
    "Round",
    "Rubric",
    "Shape",
    "Split",
    "Stage",
    "Survey",
    "SurveyCount",
    "SurveyMark",
    "Thread",
    "Topic",
    "UseCase",
    "User",
    "WorkItem",
    "WorkItemCompletion",
]
