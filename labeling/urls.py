"""The site map. What a labeler sees in an address is a UUID."""

from django.urls import URLPattern, path

from labeling import api
from labeling.agreement import views as agreement
from labeling.demonstrations import views as demonstrations
from labeling.guidelines import views as guidelines
from labeling.labelers import views as labelers
from labeling.pay import views as pay
from labeling.privacy import views as privacy
from labeling.prompts import views as prompts
from labeling.proposals import desk_views as desk
from labeling.proposals import views as proposals
from labeling.queue import held_views as held
from labeling.queue import life_views as life
from labeling.queue import views as queue
from labeling.rankings import views as rankings
from labeling.rounds import views as rounds
from labeling.rubrics import views as rubrics
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
    path("held/", held.held_list, name="held-list"),
    path("held/<int:item_id>/release/", held.held_release, name="held-release"),
    path("held/<int:item_id>/withdraw/", held.held_withdraw, name="held-withdraw"),
    path("rounds/", rounds.round_list, name="round-list"),
    path("rounds/<int:round_id>/", rounds.round_detail, name="round-detail"),
    path("rounds/<int:round_id>/<slug:name>/retry/", rounds.stage_retry, name="stage-retry"),
    path("rounds/<int:round_id>/<slug:name>/go-on/", rounds.stage_go_on, name="stage-go-on"),
    # Researchers and admins
    path("agreement/", agreement.overview, name="agreement"),
    path("agreement/figures.csv", agreement.figures_csv, name="agreement-csv"),
    path("agreement/items/", agreement.item_list, name="agreement-items"),
    path("agreement/items/<int:item_id>/", agreement.item_detail, name="agreement-item"),
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
    path("labelers/<slug:pseudonym>/pause/", labelers.labeler_pause, name="labeler-pause"),
    path("labelers/<slug:pseudonym>/resume/", labelers.labeler_resume, name="labeler-resume"),
    path("labelers/<slug:pseudonym>/rate/", labelers.labeler_rate, name="labeler-rate"),
    path("labelers/invite/", labelers.invitation_create, name="invitation-create"),
    path("labelers/invitations/<int:invitation_id>/revoke/", labelers.invitation_revoke, name="invitation-revoke"),
    # Programs
    path("api/prompts/", api.PromptsView.as_view(), name="api-prompts"),
    path("api/rounds/<int:round_id>/", api.RoundView.as_view(), name="api-round"),
    path("api/agreement/", api.AgreementView.as_view(), name="api-agreement"),
    path("api/runs/<uuid:run_id>/", api.RunView.as_view(), name="api-run"),
    path("api/runs/<uuid:run_id>/metrics/", api.RunMetricsView.as_view(), name="api-run-metrics"),
]
