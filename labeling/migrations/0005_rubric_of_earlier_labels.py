"""Labels from before there were rubrics: version 0, which asks nothing. Who was simulated has nothing to read."""

from django.db import migrations


def fill(apps, schema_editor):
    batch = apps.get_model("labeling", "Batch")
    if batch.objects.exists():
        before = apps.get_model("labeling", "Rubric").objects.create(version=0, ratings="off")
        for name in ("Batch", "Ranking", "Demonstration"):
            apps.get_model("labeling", name).objects.filter(rubric=None).update(rubric=before)
    apps.get_model("labeling", "Labeler").objects.filter(is_simulated=True).update(must_read=False)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_the_workbench")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
