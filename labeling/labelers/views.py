"""The invitation's link, and the admin's list of labelers, their pay and the invitations."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from labeling import access
from labeling.errors import PodiumError
from labeling.labelers import invite, rates
from labeling.labelers.accounts import remember_invitation
from labeling.labelers.forms import InviteForm, RateForm
from labeling.models import Assignment, Invitation, Labeler, ScreeningSet

EARLIER = 50


@never_cache
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What an invitation's link opens: the sign-up form, or a page that says why not."""
    invitation = access.invitation_by_token(token)
    if not invitation.is_open:
        return render(request, "labeling/labelers/invitation_closed.html", {"invitation": invitation}, status=410)
    if request.user.is_authenticated:  # the link makes a new account; a link must not log anybody out
        return render(request, "labeling/labelers/invitation_logged_in.html", {"invitation": invitation}, status=409)
    remember_invitation(request, invitation)
    return redirect("account_signup")


@access.admin_only
@require_safe
def labeler_list(request: HttpRequest) -> HttpResponse:
    return render(request, "labeling/labelers/list.html", _listing(request, InviteForm()))


@access.admin_only
@require_POST
def invitation_create(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return render(request, "labeling/labelers/list.html", _listing(request, form), status=422)
    try:
        made = invite.invite(access.user_of(request), **form.cleaned_data)
    except PodiumError as error:
        form.add_error("email", error.sentence)
        return render(request, "labeling/labelers/list.html", _listing(request, form), status=error.status)
    return redirect(f"{reverse('labeler-list')}?made={made.pk}#invitations")


@access.admin_only
@require_POST
def invitation_revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invite.revoke(access.invitation_for_admin(invitation_id))
    return redirect(f"{reverse('labeler-list')}#invitations")


@access.admin_only
@require_POST
def labeler_rate(request: HttpRequest, pseudonym: str) -> HttpResponse:
    """What this labeler is paid for an hour."""
    labeler = access.labeler_for_admin(pseudonym)
    form = RateForm(request.POST, auto_id=f"{pseudonym}-%s")
    if form.is_valid():
        try:
            rates.set_rate(labeler, **form.cleaned_data, by=access.user_of(request))
        except PodiumError as error:
            form.add_error("currency", error.sentence)
        else:
            return redirect(f"{reverse('labeler-list')}#{pseudonym}")
    context = _listing(request, InviteForm(), {labeler.pk: form})
    return render(request, "labeling/labelers/list.html", context, status=422)


def _listing(
    request: HttpRequest, form: InviteForm, rate_forms: Mapping[int, RateForm] = MappingProxyType({})
) -> dict[str, object]:
    """`rate_forms` are those that came back with something wrong, by labeler."""
    invitations = Invitation.objects.select_related("created_by")
    is_open = Q(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    made = request.GET.get("made", "")
    return {
        "labelers": [
            {"row": labeler, "rate": rate_forms.get(labeler.pk) or RateForm.of(labeler)}
            for labeler in _with_counts(Labeler.objects.select_related("user"))
        ],
        "invitations": [
            {
                "row": row,
                "link": request.build_absolute_uri(reverse("labeler-invitation", args=[row.token])),
                "is_new": str(row.pk) == made,
            }
            for row in invitations.filter(is_open)
        ],
        "earlier": invitations.exclude(is_open)[:EARLIER],
        "candidates": Labeler.objects.filter(state=Labeler.State.SCREENING).count(),
        "screening_is_open": ScreeningSet.objects.filter(is_open=True).exists(),
        "form": form,
    }


def _with_counts(labelers: QuerySet[Labeler]) -> QuerySet[Labeler]:
    """Each labeler with what they did in the last seven days and when they were last at work."""
    done = Q(assignments__state=Assignment.State.DONE)
    week = done & Q(assignments__ended_at__gt=timezone.now() - timedelta(days=7))
    return labelers.annotate(
        done_this_week=Count("assignments", filter=week),
        done_in_all=Count("assignments", filter=done),
        last_active=Max("assignments__leased_at"),
    ).order_by("is_simulated", "pseudonym")
