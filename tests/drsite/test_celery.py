"""What beat sends by name exists."""

from drsite.celery import app


def test_everything_on_the_schedule_is_a_task_that_a_worker_knows() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "screening.tasks.sweep_gradings" in scheduled
    assert scheduled <= app.tasks.keys()
