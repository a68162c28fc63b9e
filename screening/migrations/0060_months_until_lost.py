"""Sites choose after how many months without screening a person is lost to follow-up."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("screening", "0059_imports_without_language")]

    operations = [
        migrations.AddField(
            model_name="site",
            name="lost_after_months",
            field=models.PositiveSmallIntegerField(
                default=36,
                validators=[MinValueValidator(1), MaxValueValidator(120)],
                verbose_name="months after the due date at which people are lost to follow-up, with or without contacts",
            ),
        ),
    ]
