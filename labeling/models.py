"""Every row of the labeling half, under one import path. Each lives in the slice it belongs to."""

from labeling.adjudication.models import Adjudication, Decision, ErrorKind
from labeling.completions.models import Completion
from labeling.demonstrations.models import Demonstration
from labeling.exports.models import Exclusion, Export, LabelerRows
from labeling.guidelines.models import Acknowledgement, Guideline, Purpose
from labeling.judging.models import Drawing, JudgedPolicy, Judgement
from labeling.labelers.models import Cohort, Invitation, Labeler, Role, StateChange, User
from labeling.pay.models import Rate
from labeling.privacy.models import Choice, Erasure
from labeling.prompts.models import Prompt, Split, Topic, UseCase
from labeling.proposals.models import Proposal, Shape
from labeling.quality.models import DriftItem, GoldAnswer
from labeling.queue.models import (
    ActiveSpan,
    Assignment,
    Batch,
    Control,
    Cursor,
    Draft,
    Kind,
    WorkItem,
    WorkItemCompletion,
)
from labeling.rankings.models import RankedCompletion, Ranking
from labeling.registry.models import CardText, Contents, Promotion, Removal, Try
from labeling.reward_models.models import Verdict
from labeling.rounds.models import Round, RoundEvent, Stage
from labeling.rubrics.models import Rubric
from labeling.screening.models import Grade, Reference, Response, ScreeningItem, ScreeningSet, Sitting
from labeling.surveys.models import Survey, SurveyCount, SurveyMark
from labeling.threads.models import Post, Precedent, Reading, Thread

__all__ = [
    "Acknowledgement",
    "ActiveSpan",
    "Adjudication",
    "Assignment",
    "Batch",
    "CardText",
    "Choice",
    "Cohort",
    "Completion",
    "Contents",
    "Control",
    "Cursor",
    "Decision",
    "Demonstration",
    "Draft",
    "Drawing",
    "DriftItem",
    "Erasure",
    "ErrorKind",
    "Exclusion",
    "Export",
    "GoldAnswer",
    "Grade",
    "Guideline",
    "Invitation",
    "JudgedPolicy",
    "Judgement",
    "Kind",
    "Labeler",
    "LabelerRows",
    "Post",
    "Precedent",
    "Promotion",
    "Prompt",
    "Proposal",
    "Purpose",
    "RankedCompletion",
    "Ranking",
    "Rate",
    "Reading",
    "Reference",
    "Removal",
    "Response",
    "Role",
    "Round",
    "RoundEvent",
    "Rubric",
    "ScreeningItem",
    "ScreeningSet",
    "Shape",
    "Sitting",
    "Split",
    "Stage",
    "StateChange",
    "Survey",
    "SurveyCount",
    "SurveyMark",
    "Thread",
    "Topic",
    "Try",
    "UseCase",
    "User",
    "Verdict",
    "WorkItem",
    "WorkItemCompletion",
]
