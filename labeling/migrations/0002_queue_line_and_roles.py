"""The line's sequence, and the groups that are Podium's roles."""

from django.db import migrations


def make_roles(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for name in ("labeler", "researcher", "admin"):
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE labeling_workitem_pos OWNED BY labeling_workitem.pos",
            "DROP SEQUENCE labeling_workitem_pos",
        ),
        # Claims rewrite a row of the index's table; room on the page keeps most of them off the index (HOT).
        migrations.RunSQL(
            "ALTER TABLE labeling_workitem SET (fillfactor = 70)",
            "ALTER TABLE labeling_workitem RESET (fillfactor)",
        ),
        migrations.RunPython(make_roles, migrations.RunPython.noop),
    ]
