"""Registering a bundle: of a folder that lies in MODELS_DIR, or of an archive that is uploaded."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from screening.access import require_superuser
from screening.forms.shadows import BundleForm, BundleUploadForm
from screening.services.bundles import folders_to_register
from screening.services.registered_bundles import MAX_ARCHIVE_BYTES, BundleRefused, register_bundle, upload_bundle
from screening.views.bundles import SECTION
from screening.views.decorators import AuthenticatedRequest, login_required
from screening.views.parameters import require_parameters


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model_register(request: AuthenticatedRequest) -> HttpResponseBase:
    """The form with which a superuser registers a bundle of MODELS_DIR."""
    require_parameters(request, known=())
    require_superuser(request.user)
    folders = list(folders_to_register())
    form = BundleForm(request.POST if request.method == "POST" else None, folders=folders)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = register_bundle(name=data["folder"], sha256=data["sha256"], reason=data["reason"], by=request.user)
        except BundleRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(version)s is registered.") % {"version": row.model_version})
            return redirect("screening:models")
    context = {"folders": folders, **_context(form)}
    return render(request, "screening/models/register.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model_upload(request: AuthenticatedRequest) -> HttpResponseBase:
    """The form with which a superuser uploads an archive of a bundle."""
    require_parameters(request, known=())
    require_superuser(request.user)
    is_post = request.method == "POST"
    form = BundleUploadForm(request.POST if is_post else None, request.FILES if is_post else None)
    if is_post and form.is_valid():
        try:
            row = upload_bundle(**form.cleaned_data, by=request.user)
        except BundleRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(version)s is registered.") % {"version": row.model_version})
            return redirect("screening:models")
    context = {"max_mb": MAX_ARCHIVE_BYTES // 1024**2, **_context(form)}
    return render(request, "screening/models/upload.html", context, status=422 if form.errors else 200)


def _context(form: forms.Form) -> dict[str, Any]:
    return {
        "section": SECTION,
        "form": form,
        "has_folder": bool(settings.MODELS_DIR),
        "n_keys": len(settings.BUNDLE_PUBLIC_KEYS),
    }
