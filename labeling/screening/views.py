"""The researcher's pages: making a set, answering it first, opening it for candidates and closing it."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling import access
from labeling.errors import BadInput, PodiumError
from labeling.models import Reference, Role, ScreeningItem, ScreeningSet
from labeling.screening import answers, prepare
from labeling.screening.forms import ImportForm, ItemForm, SetForm
from labeling.screening.grade import to_grade
from labeling.screening.show import step_context

Kind = ScreeningItem.Kind


@access.office_only
@never_cache
@require_safe
def set_list(request: HttpRequest) -> HttpResponse:
    return _list_page(request, SetForm())


@access.researcher_only
@require_POST
def set_make(request: HttpRequest) -> HttpResponse:
    form = SetForm(request.POST)
    if form.is_valid():
        try:
            made = prepare.make(access.user_of(request), **form.cleaned_data)
        except PodiumError as error:
            form.add_error("name", error.sentence)
        else:
            return redirect("screening-set", made.pk)
    return _list_page(request, form, status=422)


def _list_page(request: HttpRequest, form: SetForm, *, status: int = 200) -> HttpResponse:
    sets = ScreeningSet.objects.select_related("created_by").annotate(
        asked=Count("items", filter=Q(items__removed_at=None), distinct=True),
        begun=Count("sittings", distinct=True),
        sent_in=Count("sittings", filter=Q(sittings__sent_in_at__isnull=False), distinct=True),
    )
    context = {"sets": sets, "form": form, **_roles(request)}
    return render(request, "labeling/screening/list.html", context, status=status)


@access.office_only
@never_cache
@require_safe
def set_detail(request: HttpRequest, set_id: int) -> HttpResponse:
    return _set_page(request, access.screening_set_for_office(set_id))


@access.researcher_only
@require_POST
def item_add(request: HttpRequest, set_id: int, kind: str) -> HttpResponse:
    screening_set = access.screening_set_for_office(set_id)
    if kind not in Kind.values:
        raise Http404
    form = ItemForm(kind, request.POST, auto_id=f"{kind}-%s")
    if not form.is_valid():
        return _set_page(request, screening_set, form, status=422)
    try:
        prepare.add(screening_set, [form.item()])
    except PodiumError as error:
        form.add_error(None, error.sentence)
        return _set_page(request, screening_set, form, status=error.status)
    messages.success(request, "Added, at the end.")
    return _back(screening_set)


@access.researcher_only
@require_POST
def set_import(request: HttpRequest, set_id: int) -> HttpResponse:
    """All items of a file or none."""
    screening_set = access.screening_set_for_office(set_id)
    form = ImportForm(request.POST, request.FILES, auto_id="import-%s")
    if not form.is_valid():
        return _set_page(request, screening_set, form, status=422)
    try:
        added = prepare.add(screening_set, form.items())
    except PodiumError as error:
        form.add_error(None, error.sentence)
        return _set_page(request, screening_set, form, status=error.status)
    messages.success(request, f"Added {len(added)} item{'' if len(added) == 1 else 's'}.")
    return _back(screening_set)


@access.researcher_only
@require_POST
def item_remove(request: HttpRequest, item_id: int) -> HttpResponse:
    item = access.screening_item_for_research(item_id)
    prepare.remove(item)
    messages.info(request, "Removed. It is at the end of the page and can be put back.")
    return _back(item.screening_set)


@access.researcher_only
@require_POST
def item_put_back(request: HttpRequest, item_id: int) -> HttpResponse:
    item = access.screening_item_for_research(item_id)
    prepare.put_back(item)
    return _back(item.screening_set)


@access.researcher_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, set_id: int, step: int) -> HttpResponse:
    """A researcher's answer to one item, before candidates see the set; then on to the next."""
    screening_set = access.screening_set_for_office(set_id)
    items = prepare.answered_first(screening_set)
    if not 1 <= step <= len(items):
        raise Http404
    user, item = access.user_of(request), items[step - 1]
    error = ""
    if request.method == "POST":
        try:
            prepare.refer(user, item, request.POST)
        except BadInput as refused:
            error = refused.sentence
        else:
            return redirect("screening-answer", set_id, step + 1) if step < len(items) else _back(screening_set)
    if error:
        value = answers.read(item.kind, item.parts, request.POST)
    else:
        stored = Reference.objects.filter(item=item, researcher=user).first()
        value = stored.value if stored else answers.read(item.kind, item.parts, {})
    context = {
        **step_context(item, value, user.pk),
        "set": screening_set,
        "step": step,
        "steps": len(items),
        "error": error,
        "final": prepare.FINAL if screening_set.opened_at else "",
    }
    return render(request, "labeling/screening/answer.html", context, status=422 if error else 200)


@access.researcher_only
@require_POST
def set_open(request: HttpRequest, set_id: int) -> HttpResponse:
    screening_set = access.screening_set_for_office(set_id)
    prepare.open_set(screening_set)
    messages.success(request, "Open: candidates find it on their start page.")
    return _back(screening_set)


@access.researcher_only
@require_POST
def set_close(request: HttpRequest, set_id: int) -> HttpResponse:
    screening_set = access.screening_set_for_office(set_id)
    prepare.close(screening_set)
    messages.success(request, "Closed. What candidates wrote is kept, and the set can be opened again.")
    return _back(screening_set)


def _back(screening_set: ScreeningSet) -> HttpResponse:
    return redirect(reverse("screening-set", args=[screening_set.pk]))


def _roles(request: HttpRequest) -> dict[str, bool]:
    roles = access.user_of(request).roles
    return {"may_research": Role.RESEARCHER in roles, "may_select": Role.ADMIN in roles}


def _set_page(
    request: HttpRequest, screening_set: ScreeningSet, posted: ItemForm | ImportForm | None = None, *, status: int = 200
) -> HttpResponse:
    """`posted` is the form that came back with something wrong."""
    user = access.user_of(request)
    answered_by_me = set(Reference.objects.filter(researcher=user).values_list("item", flat=True))
    items = list(prepare.asked(screening_set).annotate(answered=Count("references")))
    steps = {item.pk: number for number, item in enumerate(prepare.answered_first(screening_set), start=1)}
    rows = [
        {"item": item, "step": steps.get(item.pk), "mine": item.pk in answered_by_me, "answered": item.answered}
        for item in items
    ]
    unanswered: Any = next((row["step"] for row in rows if row["step"] and not row["mine"]), None)
    forms = [
        posted if isinstance(posted, ItemForm) and posted.kind == kind else ItemForm(kind, auto_id=f"{kind}-%s")
        for kind in Kind
    ]
    context = {
        "set": screening_set,
        "rows": rows,
        "removed": screening_set.items.exclude(removed_at=None),
        "forms": forms,
        "import_form": posted if isinstance(posted, ImportForm) else ImportForm(auto_id="import-%s"),
        "to_answer": len(steps),
        "answered_by_me": sum(item.pk in answered_by_me for item in items),
        "next_step": unanswered,
        "why_not_open": "" if screening_set.is_open else prepare.why_not_open(screening_set),
        "begun": screening_set.sittings.count(),
        "sent_in": screening_set.sittings.filter(sent_in_at__isnull=False).count(),
        "to_grade": to_grade(user, screening_set).count(),
        **_roles(request),
    }
    return render(request, "labeling/screening/set.html", context, status=status)
