import django.db.models.deletion
from django.db import migrations, models


def rubric(related_name):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to="labeling.rubric"
    )


class Migration(migrations.Migration):
    dependencies = [("labeling", "0005_rubric_of_earlier_labels")]

    operations = [
        migrations.AlterField("batch", "rubric", rubric("batches")),
        migrations.AlterField("ranking", "rubric", rubric("rankings")),
        migrations.AlterField("demonstration", "rubric", rubric("demonstrations")),
    ]
