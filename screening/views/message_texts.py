"""Texts of messages of a site: the list, and the page on which a manager changes one, with a preview."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from screening.access import Action, can, require, sites_for
from screening.forms.messages import LanguageForm, TextForm
from screening.labels.messages import built_in_text, text_channel_label, text_kind_label, variable_names
from screening.models import MessageTemplate, Site
from screening.policy.letters import LetterKind, TextChannel, TextKind
from screening.policy.messages import MessageChannel, MessageKind
from screening.policy.recall import ContactChannel
from screening.selectors.messages import list_texts, newest_texts
from screening.services.message_texts import (
    TextChanged,
    TextRefused,
    example_text,
    newest_text,
    save_text,
    text_in_force,
    text_refusal,
)
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import page_number, require_parameters, value_of

PER_PAGE = 10
TEXTS: list[tuple[TextKind, TextChannel]] = [
    *((kind, channel) for kind in MessageKind for channel in MessageChannel),
    *((kind, ContactChannel.LETTER) for kind in LetterKind),
]
"""The texts of a site in each language."""


@login_required
@require_safe
def site_message_texts(request: AuthenticatedRequest, site_id: UUID) -> HttpResponseBase:
    """The texts of a site in one language, with their version."""
    require_parameters(request, known={"language"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_REGISTER, site)
    default = site.language_of_messages if site.language_of_messages in dict(settings.MESSAGE_LANGUAGES) else "en"
    language = value_of(request.GET, "language", values=list(dict(settings.MESSAGE_LANGUAGES)), default=default)
    newest = newest_texts(user=request.user, site=site, language=language)
    rows = [
        (
            kind.value,
            text_kind_label(kind),
            channel.value,
            text_channel_label(channel),
            stored,
            _n_segments(site, kind, channel, language, stored) if stored or language == default else 0,
        )
        for kind, channel in TEXTS
        for stored in [newest.get((kind.value, channel.value))]
    ]
    context = {
        "section": "patients",
        "site": site,
        "form": LanguageForm(initial={"language": language}),
        "language": language,
        "is_default": language == default,
        "rows": rows,
        "may_edit": can(request.user, Action.MANAGE_SITE, site),
    }
    return render(request, "screening/messages/texts.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_message_text(
    request: AuthenticatedRequest, site_id: UUID, message_kind: str, channel: str, language: str
) -> HttpResponseBase:
    """One text: change it, with a preview on made-up data while it is written; its versions."""
    require_parameters(request, known={"page"})
    site = get_object_or_404(sites_for(request.user), pk=site_id)
    require(request.user, Action.MANAGE_SITE, site)
    text = next((one for one in TEXTS if one == (message_kind, channel)), None)
    if text is None or language not in dict(settings.MESSAGE_LANGUAGES):
        raise Http404
    key = (*text, language)
    data = request.POST if request.method == "POST" else None
    form = TextForm(data, initial=_initial(site, *key), channel=key[1])
    # NB: htmx sends the button that was clicked with a preview that is on its way then.
    is_save = request.POST.get("action") == "save" and not request.htmx
    if request.method == "POST" and form.is_valid() and is_save:
        saved = _save(request, site, key, form)
        if saved is not None:
            return saved
    context = _context(request, site, key, form)
    if request.htmx:
        return render(request, "screening/messages/_preview.html", context)
    return render(request, "screening/messages/text.html", context, status=422 if form.errors else 200)


def _n_segments(site: Site, kind: TextKind, channel: TextChannel, language: str, stored: MessageTemplate | None) -> int:
    """Segments of a stored or built-in text message with made-up data; 0 of another text."""
    if channel is not MessageChannel.SMS:
        return 0
    with translation.override(language):
        text = built_in_text(kind, channel) if stored is None else ("", stored.body)
    return example_text(site, kind, channel, language, text).n_segments


def _initial(site: Site, kind: TextKind, channel: TextChannel, language: str) -> dict[str, Any]:
    stored = newest_text(site, kind, channel, language)
    text = text_in_force(site, kind, channel, language)
    return {"subject": text.subject, "body": text.body, "base": 0 if stored is None else stored.number}


def _save(
    request: AuthenticatedRequest, site: Site, key: tuple[TextKind, TextChannel, str], form: TextForm
) -> HttpResponseBase | None:
    """The next page, or None with the error in the form."""
    (kind, channel, language), (subject, body) = key, form.text
    values = {"reason": form.cleaned_data["reason"], "base_number": form.cleaned_data["base"], "by": request.user}
    try:
        row = save_text(site=site, kind=kind, channel=channel, language=language, subject=subject, body=body, **values)
    except TextRefused as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        if isinstance(error, TextChanged):
            changed = request.POST.copy()  # sent again, the entries are based on the newer version
            changed["base"] = str(_initial(site, kind, channel, language)["base"])
            form.data = changed
        return None
    messages.success(request, _("Version %(number)d is stored.") % {"number": row.number})
    return redirect(f"{reverse('screening:site-message-texts', args=[site.pk])}?language={language}")


def _context(
    request: AuthenticatedRequest, site: Site, key: tuple[TextKind, TextChannel, str], form: TextForm
) -> dict[str, Any]:
    kind, channel, language = key
    text = form.text if form.is_bound and form.is_valid() else _written(form)
    versions = Paginator(list_texts(user=request.user, site=site, kind=kind, channel=channel), PER_PAGE)
    refusal = text_refusal(site, kind, channel, language, text)
    return {
        "section": "patients",
        "site": site,
        "form": form,
        "kind_label": text_kind_label(kind),
        "channel_label": text_channel_label(channel),
        "is_letter": channel is ContactChannel.LETTER,
        "is_sms": channel is MessageChannel.SMS,
        "language": language,
        "language_name": dict(settings.MESSAGE_LANGUAGES)[language],
        "variables": variable_names(kind),
        "example": example_text(site, kind, channel, language, text),
        "refusal": None if refusal is None else refusal[1],
        "page": versions.get_page(page_number(request)),
    }


def _written(form: TextForm) -> tuple[str, str]:
    """Subject and body as they are in the form, which may be invalid."""
    subject = str(form["subject"].value() or "") if "subject" in form.fields else ""
    return subject, str(form["body"].value() or "").replace("\r\n", "\n")
