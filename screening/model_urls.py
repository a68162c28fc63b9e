"""Addresses of the pages on models: bundles, operating points, shadow mode, re-gradings."""

from django.urls import path

from screening.views import activations, bundles, operating_points, registered_bundles, regradings, shadows

model_urlpatterns = [
    path("models/", bundles.model_list, name="models"),
    path("models/register/", registered_bundles.model_register, name="model-register"),
    path("models/upload/", registered_bundles.model_upload, name="model-upload"),
    path("sites/<uuid:site_id>/activation/", activations.site_activation, name="site-activation"),
    path("sites/<uuid:site_id>/shadow/", shadows.site_shadow, name="site-shadow"),
    path("models/<str:version>/", bundles.model_detail, name="model"),
    path("sites/<uuid:site_id>/operating-point/", operating_points.site_operating_point, name="site-operating-point"),
    path("sites/<uuid:site_id>/regradings/", regradings.site_regradings, name="site-regradings"),
    path("regradings/<uuid:regrading_id>/", regradings.regrading_detail, name="regrading"),
    path("regradings/<uuid:regrading_id>/status/", regradings.regrading_status, name="regrading-status"),
    path("regradings/<uuid:regrading_id>/pause/", regradings.regrading_pause, name="regrading-pause"),
    path("regradings/<uuid:regrading_id>/resume/", regradings.regrading_resume, name="regrading-resume"),
    path("regradings/<uuid:regrading_id>/cancel/", regradings.regrading_cancel, name="regrading-cancel"),
]
