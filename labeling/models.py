"""Every row of the labeling half, under one import path. Each lives in the slice it belongs to."""

from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.exports.models import Export
from labeling.guidelines.models import Guideline, Purpose
from labeling.labelers.models import Cohort, Invitation, Labeler, Role, User
from labeling.prompts.models import Prompt, Split, UseCase
from labeling.queue.models import Assignment, Batch, Cursor, Kind, WorkItem, WorkItemCompletion
from labeling.rankings.models import RankedCompletion, Ranking
from labeling.rounds.models import Round, Stage

__all__ = [
    "Assignment",
    "Batch",
    "Cohort",
    "Completion",
    "Cursor",
    "Demonstration",
    "Export",
    "Guideline",
    "Invitation",
    "Kind",
    "Labeler",
    "Prompt",
    "Purpose",
    "RankedCompletion",
    "Ranking",
    "Role",
    "Round",
    "Split",
    "Stage",
    "UseCase",
    "User",
    "WorkItem",
    "WorkItemCompletion",
]
