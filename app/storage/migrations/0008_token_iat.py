"""When the token was issued that told a partner's name and e-mail, so that older ones do not undo it.

An earlier release beside this one leaves it as it is, and takes what any token tells, as it always did.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_tallies")]

    operations = [ops.AddField("Partner", "token_iat", fields.BigIntField(null=True))]
