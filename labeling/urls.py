"""The site map. What a labeler sees in an address is a UUID."""

from django.urls import URLPattern, path

from labeling import api
from labeling.adjudication import views as adjudication
from labeling.agreement import finding_views as findings
from labeling.agreement import scorecard_views as scorecards
from labeling.agreement import views as agreement
from labeling.demonstrations import views as demonstrations
from labeling.exports import views as exports
from labeling.figures import overopt_views as overopt
from labeling.figures import views as figures
from labeling.guidelines import views as guidelines
from labeling.judging import result_views as judged
from labeling.judging import views as judging
from labeling.labelers import person_views as person
from labeling.labelers import views as labelers
from labeling.pay import views as pay
from labeling.privacy import views as privacy
from labeling.prompts import views as prompts
from labeling.proposals import desk_views as desk
from labeling.proposals import views as proposals
from labeling.quality import batch_views as batches
from labeling.quality import views as quality
from labeling.queue import held_views as held
from labeling.queue import life_views as life
from labeling.queue import views as queue
from labeling.rankings import views as rankings
from labeling.registry import api_views as registry_api
from labeling.registry import label_views as shaped
from labeling.registry import playground_views as playground
from labeling.registry import views as registry
from labeling.reward_models import views as reward_models
from labeling.rounds import open_views as opening
from labeling.rounds import views as rounds
from labeling.rubrics import views as rubrics
from labeling.screening import candidate_views as candidate
from labeling.screening import grade_views as grading
from labeling.screening import selection_views as selection
from labeling.screening import views as screening
from labeling.surveys import views as surveys
from labeling.threads import views as threads
from labeling.topics import views as topics

urlpatterns: list[URLPattern] = [
    path("", queue.home, name="home"),
    # Labelers
    path("work/next/<slug:kind>/", queue.claim_next, name="queue-next"),
    path("work/nothing/<slug:kind>/", queue.nothing, name="queue-nothing"),
    path("work/recent/", queue.recent, name="work-recent"),
    path("work/<uuid:assignment_id>/renew/", life.renew, name="assignment-renew"),
    path("work/<uuid:assignment_id>/active/", life.active, name="assignment-active"),
    path("work/<uuid:assignment_id>/draft/", life.draft, name="assignment-draft"),
    path("work/<uuid:assignment_id>/skip/", queue.skip, name="assignment-skip"),
    path("work/<uuid:assignment_id>/take-back/", queue.take_back, name="assignment-take-back"),
    path("write/<uuid:assignment_id>/", demonstrations.write, name="demonstration-write"),
    path("write/preview/", demonstrations.preview, name="text-preview"),
    path("write/language/", demonstrations.text_language, name="text-language"),
    path("rank/<uuid:assignment_id>/", rankings.rank, name="ranking-submit"),
    path("rank/<uuid:assignment_id>/lesson/", quality.gold_lesson, name="gold-lesson"),
    path("guidelines/", guidelines.guideline_list, name="guideline-list"),
    path("guidelines/<int:guideline_id>/", guidelines.guideline_read, name="guideline-read"),
    path("guidelines/<int:guideline_id>/confirm/", guidelines.guideline_acknowledge, name="guideline-acknowledge"),
    path("guide/", guidelines.labeler_guide, name="labeler-guide"),
    path("guide/screenshots/<slug:name>.png", guidelines.guide_picture, name="guide-picture"),
    path("messages/", threads.thread_list, name="thread-list"),
    path("messages/ask/", threads.thread_ask, name="thread-ask"),
    path("messages/<int:thread_id>/", threads.thread_detail, name="thread-detail"),
    path("messages/<int:thread_id>/reply/", threads.thread_reply, name="thread-reply"),
    path("topics/", topics.topic_choose, name="topic-choose"),
    path("my/hours/", pay.mine, name="my-hours"),
    path("my/hours.csv", pay.mine_csv, name="my-hours-csv"),
    path("my/data/", privacy.mine, name="my-data"),
    path("my/data.zip", privacy.mine_zip, name="my-data-zip"),
    path("my/data/erase/", privacy.ask, name="erasure-ask"),
    path("my/data/keep/", privacy.take_back, name="erasure-take-back"),
    path("my/surveys/", surveys.mine, name="my-surveys"),
    path("my/surveys/<int:survey_id>/", surveys.answer, name="survey-answer"),
    path("my/surveys/<int:survey_id>/dismiss/", surveys.dismiss, name="survey-dismiss"),
    path("messages/<int:thread_id>/dismiss/", threads.thread_dismiss, name="thread-dismiss"),
    path("propose/<uuid:assignment_id>/", proposals.write, name="proposal-write"),
    path("invitation/<str:token>/", labelers.invitation, name="labeler-invitation"),
    # Candidates
    path("screening/mine/begin/", candidate.begin, name="candidate-begin"),
    path("screening/mine/send-in/", candidate.send_in, name="candidate-send-in"),
    path("screening/mine/<int:step>/", candidate.step, name="candidate-step"),
    path("screening/mine/<int:step>/draft/", candidate.draft, name="candidate-draft"),
    # Researchers
    path("prompts/", prompts.prompt_list, name="prompt-list"),
    path("prompts/import/", prompts.prompt_import, name="prompt-import"),
    path("guidelines/publish/<slug:purpose>/", guidelines.guideline_publish, name="guideline-publish"),
    path("messages/announce/", threads.thread_announce, name="thread-announce"),
    path("messages/<int:thread_id>/precedent/", threads.precedent_publish, name="precedent-publish"),
    path("precedents/<int:precedent_id>/withdraw/", threads.precedent_withdraw, name="precedent-withdraw"),
    path("precedents/<int:precedent_id>/restore/", threads.precedent_restore, name="precedent-restore"),
    path("rubric/", rubrics.rubric_list, name="rubric-list"),
    path("rubric/publish/", rubrics.rubric_publish, name="rubric-publish"),
    path("topics/all/", topics.topic_list, name="topic-list"),
    path("topics/add/", topics.topic_add, name="topic-add"),
    path("topics/tag/", topics.topic_tag, name="topic-tag"),
    path("topics/<slug:slug>/describe/", topics.topic_describe, name="topic-describe"),
    path("proposals/", desk.proposal_list, name="proposal-list"),
    path("proposals/ask/", desk.proposal_ask, name="proposal-ask"),
    path("proposals/<int:proposal_id>/take/", desk.proposal_take, name="proposal-take"),
    path("proposals/<int:proposal_id>/refuse/", desk.proposal_refuse, name="proposal-refuse"),
    path("batches/<int:batch_id>/", queue.batch_detail, name="batch-detail"),
    path("batches/<int:batch_id>/settings/", batches.batch_settings, name="batch-settings"),
    path("known/", quality.known_list, name="known-list"),
    path("known/choose/", quality.item_choose, name="known-choose"),
    path("known/<int:item_id>/answer/", quality.gold_answer, name="gold-answer"),
    path("known/<int:item_id>/retire/", quality.gold_retire, name="gold-retire"),
    path("known/<int:item_id>/revive/", quality.gold_revive, name="gold-revive"),
    path("known/<int:item_id>/drift/", quality.drift_add, name="drift-add"),
    path("known/<int:item_id>/drift/remove/", quality.drift_remove, name="drift-remove"),
    path("held/", held.held_list, name="held-list"),
    path("held/<int:item_id>/release/", held.held_release, name="held-release"),
    path("held/<int:item_id>/withdraw/", held.held_withdraw, name="held-withdraw"),
    path("rounds/", rounds.round_list, name="round-list"),
    path("rounds/new/", opening.round_new, name="round-new"),
    path("rounds/compare/", opening.round_compare, name="round-compare"),
    path("texts/import/", opening.text_import, name="text-import"),
    path("models/import/", opening.base_import, name="base-import"),
    path("rounds/<int:round_id>/", rounds.round_detail, name="round-detail"),
    path("rounds/<int:round_id>/timeline/", rounds.round_timeline, name="round-timeline"),
    path("rounds/<int:round_id>/pause/", rounds.round_pause, name="round-pause"),
    path("rounds/<int:round_id>/resume/", rounds.round_resume, name="round-resume"),
    path("rounds/<int:round_id>/stop/", rounds.round_stop, name="round-stop"),
    path("rounds/<int:round_id>/priority/", rounds.round_weigh, name="round-weigh"),
    path("rounds/<int:round_id>/budget/", rounds.round_budget, name="round-budget"),
    path("rounds/<int:round_id>/<slug:name>/settings/", rounds.stage_settings, name="stage-settings"),
    path("rounds/<int:round_id>/<slug:name>/take-up/", rounds.stage_take_up, name="stage-take-up"),
    path("rounds/<int:round_id>/<slug:name>/retry/", rounds.stage_retry, name="stage-retry"),
    path("rounds/<int:round_id>/<slug:name>/go-on/", rounds.stage_go_on, name="stage-go-on"),
    path("checkpoints/", registry.checkpoint_list, name="checkpoint-list"),
    path("checkpoints/<int:checkpoint_id>/", registry.checkpoint_detail, name="checkpoint-detail"),
    path("checkpoints/<int:checkpoint_id>/promote/", registry.checkpoint_promote, name="checkpoint-promote"),
    path("checkpoints/<int:checkpoint_id>/demote/", registry.checkpoint_demote, name="checkpoint-demote"),
    path("checkpoints/<int:checkpoint_id>/delete/", registry.checkpoint_delete, name="checkpoint-delete"),
    path("checkpoints/<int:checkpoint_id>/card/", registry.checkpoint_card, name="checkpoint-card"),
    path("checkpoints/<int:checkpoint_id>/README.md", registry.checkpoint_readme, name="checkpoint-readme"),
    path("checkpoints/<int:checkpoint_id>/download.tar", registry.checkpoint_download, name="checkpoint-download"),
    path("playground/", playground.playground_page, name="playground"),
    path("playground/<uuid:try_id>/", playground.playground_try, name="playground-try"),
    path("playground/<uuid:try_id>/reveal/", playground.playground_reveal, name="playground-reveal"),
    path("rounds/<int:round_id>/judgement/", judged.round_results, name="round-judgement"),
    path("rounds/<int:round_id>/judgement/items/", judged.round_items, name="round-judgement-items"),
    path("rounds/<int:round_id>/judgement/figures.csv", judged.round_csv, name="round-judgement-csv"),
    path("judgements/", judging.judgement_list, name="judgement-list"),
    path("judgements/open/", judging.judgement_open, name="judgement-open"),
    path("judgements/size/", judging.judgement_size, name="judgement-size"),
    path("judgements/<int:judgement_id>/", judging.judgement_detail, name="judgement-detail"),
    path("judgements/<int:judgement_id>/items/", judged.judgement_items, name="judgement-items"),
    path("judgements/<int:judgement_id>/figures.csv", judged.judgement_csv, name="judgement-csv"),
    path("judgements/<int:judgement_id>/more/", judging.judgement_more, name="judgement-more"),
    path("judgements/<int:judgement_id>/pause/", judging.judgement_change, {"what": "pause"}, name="judgement-pause"),
    path("judgements/<int:judgement_id>/go-on/", judging.judgement_change, {"what": "resume"}, name="judgement-go-on"),
    path("judgements/<int:judgement_id>/stop/", judging.judgement_change, {"what": "stop"}, name="judgement-stop"),
    path("judgements/<int:judgement_id>/retry/", judging.judgement_change, {"what": "retry"}, name="judgement-retry"),
    path("screening/make/", screening.set_make, name="screening-make"),
    path("screening/<int:set_id>/add/<slug:kind>/", screening.item_add, name="screening-add"),
    path("screening/<int:set_id>/import/", screening.set_import, name="screening-import"),
    path("screening/<int:set_id>/answer/<int:step>/", screening.answer, name="screening-answer"),
    path("screening/<int:set_id>/open/", screening.set_open, name="screening-open"),
    path("screening/<int:set_id>/close/", screening.set_close, name="screening-close"),
    path("screening/items/<int:item_id>/remove/", screening.item_remove, name="screening-remove"),
    path("screening/items/<int:item_id>/put-back/", screening.item_put_back, name="screening-put-back"),
    path("screening/<int:set_id>/grade/", grading.grade_next, name="screening-grade"),
    path("screening/grade/<uuid:response_id>/", grading.grade_one, name="screening-grade-one"),
    # Researchers and admins
    path("screening/", screening.set_list, name="screening-list"),
    path("screening/<int:set_id>/", screening.set_detail, name="screening-set"),
    path("queue/", batches.queue_rules, name="queue-rules"),
    path("agreement/", agreement.overview, name="agreement"),
    path("agreement/figures.csv", agreement.figures_csv, name="agreement-csv"),
    path("agreement/items/", agreement.item_list, name="agreement-items"),
    path("agreement/items/<int:item_id>/", agreement.item_detail, name="agreement-item"),
    path("agreement/scorecards/", scorecards.scorecard_list, name="scorecard-list"),
    path("agreement/scorecards/figures.csv", scorecards.scorecards_csv, name="scorecards-csv"),
    path("agreement/findings/", findings.finding_list, name="finding-list"),
    path("agreement/findings/items/", findings.finding_items, name="finding-items"),
    path("agreement/findings/figures.csv", findings.findings_csv, name="findings-csv"),
    path("people/<slug:pseudonym>/scorecard/", scorecards.scorecard, name="scorecard"),
    path("people/<slug:pseudonym>/scorecard/items/", scorecards.scorecard_items, name="scorecard-items"),
    path("people/<slug:pseudonym>/scorecard/figures.csv", scorecards.scorecards_csv, name="scorecard-csv"),
    path("adjudication/", adjudication.queue, name="adjudication"),
    path("adjudication/decided/", adjudication.decided, name="adjudication-decided"),
    path("adjudication/decisions.csv", adjudication.decisions_csv, name="adjudication-csv"),
    path("adjudication/kinds/", adjudication.kinds, name="error-kinds"),
    path("adjudication/kinds/<slug:key>/<slug:change>/", adjudication.change_kind, name="error-kind-change"),
    path("adjudication/<int:item_id>/", adjudication.item, name="adjudication-item"),
    path("adjudication/<int:item_id>/take/", adjudication.take, name="adjudication-take"),
    path("adjudication/<int:item_id>/give-back/", adjudication.give_back, name="adjudication-give-back"),
    path("adjudication/<int:item_id>/withdraw/", adjudication.withdraw, name="adjudication-withdraw"),
    path("datasets/<int:dataset_id>/", exports.dataset_detail, name="dataset-detail"),
    path("datasets/freeze-rankings/", exports.freeze_rankings, name="rankings-freeze"),
    path("datasets/exclusions/", exports.exclusion_list, name="exclusion-list"),
    path("datasets/exclusions/<int:exclusion_id>/lift/", exports.exclusion_lift, name="exclusion-lift"),
    path("labels/items/<int:item_id>/", shaped.of_item, name="item-shaped"),
    path("labels/demonstrations/<int:demonstration_id>/", shaped.of_demonstration, name="demonstration-shaped"),
    path("people/<slug:pseudonym>/shaped/", shaped.of_labeler, name="labeler-shaped"),
    path("figures/", figures.figures, name="figures"),
    path("figures/figures.csv", figures.figures_csv, name="figures-csv"),
    path("figures/items/", figures.figure_items, name="figure-items"),
    path("runs/<uuid:run_id>/over-optimisation/", overopt.monitor, name="overoptimization"),
    path("reward-models/", reward_models.model_list, name="reward-model-list"),
    path("reward-models/<int:checkpoint_id>/", reward_models.model_detail, name="reward-model"),
    path("reward-models/<int:checkpoint_id>/figures.csv", reward_models.model_csv, name="reward-model-csv"),
    path("reward-models/<int:checkpoint_id>/score/", reward_models.model_score, name="reward-model-score"),
    path("reward-models/<int:checkpoint_id>/contradictions/", reward_models.contradiction_list, name="contradictions"),
    path(
        "reward-models/<int:checkpoint_id>/contradictions.csv",
        reward_models.contradictions_csv,
        name="contradictions-csv",
    ),
    path(
        "reward-models/<int:checkpoint_id>/contradictions/<int:ranking_id>/say/",
        reward_models.verdict_say,
        name="verdict-say",
    ),
    path("surveys/", surveys.survey_list, name="survey-list"),
    path("surveys/<int:survey_id>/", surveys.results, name="survey-results"),
    path("surveys/<int:survey_id>/results.csv", surveys.results_csv, name="survey-csv"),
    path("surveys/<int:survey_id>/close/", surveys.close, name="survey-close"),
    # Admins
    path("people/timesheet/", pay.overview, name="timesheet"),
    path("people/timesheet.csv", pay.overview_csv, name="timesheet-csv"),
    path("people/<slug:pseudonym>/timesheet/", pay.of_labeler, name="labeler-timesheet"),
    path("people/<slug:pseudonym>/timesheet.csv", pay.of_labeler_csv, name="labeler-timesheet-csv"),
    path("people/<slug:pseudonym>/timesheet/from-start/", pay.rate_from_start, name="rate-from-start"),
    path("people/<slug:pseudonym>/data/", privacy.of_labeler, name="labeler-data"),
    path("people/<slug:pseudonym>/data.zip", privacy.of_labeler_zip, name="labeler-data-zip"),
    path("people/<slug:pseudonym>/data/erase/", privacy.erase, name="labeler-erase"),
    path("labelers/", labelers.labeler_list, name="labeler-list"),
    path("people/<slug:pseudonym>/", person.labeler_detail, name="labeler-detail"),
    path("people/<slug:pseudonym>/pause/", person.labeler_change, {"after": "paused"}, name="labeler-pause"),
    path("people/<slug:pseudonym>/resume/", person.labeler_change, {"after": "active"}, name="labeler-resume"),
    path("people/<slug:pseudonym>/leave/", person.labeler_change, {"after": "left"}, name="labeler-leave"),
    path("labelers/<slug:pseudonym>/rate/", labelers.labeler_rate, name="labeler-rate"),
    path("screening/<int:set_id>/selection/", selection.selection, name="screening-selection"),
    path("screening/candidates/<uuid:sitting_id>/decide/", selection.decide, name="screening-decide"),
    path("screening/candidates/<uuid:sitting_id>/undo/", selection.undo, name="screening-undo"),
    path("labelers/invite/", labelers.invitation_create, name="invitation-create"),
    path("labelers/invitations/<int:invitation_id>/revoke/", labelers.invitation_revoke, name="invitation-revoke"),
    # Programs
    path("api/prompts/", api.PromptsView.as_view(), name="api-prompts"),
    path("api/rounds/<int:round_id>/", api.RoundView.as_view(), name="api-round"),
    path("api/rounds/<int:round_id>/judgement/", api.RoundJudgementView.as_view(), name="api-round-judgement"),
    path("api/judgements/<int:judgement_id>/", api.JudgementView.as_view(), name="api-judgement"),
    path("api/agreement/", api.AgreementView.as_view(), name="api-agreement"),
    path("api/scorecards/", api.ScorecardsView.as_view(), name="api-scorecards"),
    path("api/scorecards/<slug:pseudonym>/", api.ScorecardView.as_view(), name="api-scorecard"),
    path("api/findings/", api.FindingsView.as_view(), name="api-findings"),
    path("api/adjudications/", api.AdjudicationsView.as_view(), name="api-adjudications"),
    path("api/checkpoints/<int:checkpoint_id>/lineage/", registry_api.LineageView.as_view(), name="api-lineage"),
    path("api/serving/", registry_api.ServingView.as_view(), name="api-serving"),
    path("api/labels/<slug:kind>/<int:label_id>/", registry_api.LabelView.as_view(), name="api-label"),
    path("api/figures/", api.FiguresView.as_view(), name="api-figures"),
    path("api/reward-models/<int:checkpoint_id>/", api.RewardModelView.as_view(), name="api-reward-model"),
    path("api/runs/<uuid:run_id>/over-optimisation/", api.OveroptimizationView.as_view(), name="api-overoptimization"),
    path("api/runs/<uuid:run_id>/", api.RunView.as_view(), name="api-run"),
    path("api/runs/<uuid:run_id>/metrics/", api.RunMetricsView.as_view(), name="api-run-metrics"),
]
