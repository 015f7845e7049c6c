"""The tables, as both databases hold them.

Times are set by the service and never by the database. Text that is compared or ordered has a key column
beside it (NFKC and case-folded), which both databases compare byte by byte.
"""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model

APP_LABEL = "registry"


def _unique(table: str, *columns: str) -> UniqueConstraint:
    """Named as PostgreSQL names its own, so that a violation is read alike on every constraint."""
    return UniqueConstraint(fields=columns, name="_".join((table, *columns, "key")))


class Organization(Model):
    """One row for every organization that was ever created; a deleted one stays as its tombstone."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=255)
    # NFKC expands one character to as many as 18: unbounded, and in no index, whose rows PostgreSQL limits.
    name_key = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)
    version = fields.IntField()

    class Meta:
        table = "organization"
        constraints = (
            CheckConstraint(check="\"name\" <> ''", name="organization_name_check"),
            CheckConstraint(check='"version" >= 1', name="organization_version_check"),
            CheckConstraint(
                check='"deleted_at" IS NULL OR "deleted_at" >= "created_at"',
                name="organization_deleted_at_check",
            ),
        )


class Instance(Model):
    """One row for every instance that was ever created: a deleted one keeps its handle retired."""

    id = fields.UUIDField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT
    )
    created_by_organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=255)
    name_key = fields.TextField()
    handle = fields.CharField(max_length=30, unique=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)
    version = fields.IntField()

    class Meta:
        table = "instance"
        constraints = (
            CheckConstraint(check="\"name\" <> ''", name="instance_name_check"),
            CheckConstraint(check='length("handle") BETWEEN 1 AND 30', name="instance_handle_check"),
            CheckConstraint(check='"version" >= 1', name="instance_version_check"),
            CheckConstraint(
                check='"deleted_at" IS NULL OR "deleted_at" >= "created_at"', name="instance_deleted_at_check"
            ),
        )
        indexes = (
            Index(fields=("created_by_organization_id",), name="instance_created_by_organization_id_idx"),
        )


class Partner(Model):
    """A person or machine that acts, known by its token's issuer and subject."""

    id = fields.UUIDField(primary_key=True)
    issuer = fields.CharField(max_length=255)
    subject = fields.CharField(max_length=255)
    name = fields.CharField(max_length=255, null=True)
    email = fields.CharField(max_length=320, null=True)
    email_key = fields.CharField(max_length=320, null=True)
    # The `iat` of the token that told this, in seconds since the epoch; none where no token did.
    token_iat = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    version = fields.IntField()

    class Meta:
        table = "partner"
        constraints = (
            CheckConstraint(check='"version" >= 1', name="partner_version_check"),
            _unique("partner", "issuer", "subject"),
        )
        indexes = (Index(fields=("email_key",), name="partner_email_key_idx"),)


class Membership(Model):
    """A role in an organization: of a partner or, until it comes, of whoever has a verified e-mail address.

    Removed ones leave a tombstone.
    """

    id = fields.UUIDField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.CASCADE
    )
    partner: fields.ForeignKeyNullableRelation[Partner] = fields.ForeignKeyField(
        "registry.Partner", related_name=False, on_delete=fields.RESTRICT, null=True
    )
    email = fields.CharField(max_length=320, null=True)
    email_key = fields.CharField(max_length=320, null=True)
    role = fields.CharField(max_length=10)
    joined_at = fields.DatetimeField()
    version = fields.IntField()

    class Meta:
        table = "membership"
        constraints = (
            CheckConstraint(check="\"role\" IN ('owner', 'member')", name="membership_role_check"),
            CheckConstraint(check='"version" >= 1', name="membership_version_check"),
            CheckConstraint(
                check='("partner_id" IS NULL) <> ("email_key" IS NULL)', name="membership_holder_check"
            ),
            _unique("membership", "organization_id", "partner_id"),
            _unique("membership", "organization_id", "email_key"),
        )
        indexes = (
            Index(fields=("partner_id", "organization_id"), name="membership_partner_id_organization_id_idx"),
            Index(fields=("email_key",), name="membership_email_key_idx"),
        )


class InstanceTally(Model):
    """How many instances an organization has; without a row, it never had any. The database keeps it."""

    organization: fields.OneToOneRelation[Organization] = fields.OneToOneField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT, primary_key=True
    )
    instances = fields.BigIntField()

    class Meta:
        table = "instance_tally"


class Authorization(Model):
    """An organization that may use an instance of another one, `owner_organization`, which offered it.

    A transfer of the instance ends it, so that the organization that offered it is always the owner.
    """

    id = fields.UUIDField(primary_key=True)
    instance: fields.ForeignKeyRelation[Instance] = fields.ForeignKeyField(
        "registry.Instance", related_name=False, on_delete=fields.RESTRICT
    )
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT
    )
    owner_organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT
    )
    status = fields.CharField(max_length=10)
    created_at = fields.DatetimeField()
    accepted_at = fields.DatetimeField(null=True)
    version = fields.IntField()

    class Meta:
        table = "instance_authorization"
        constraints = (
            CheckConstraint(
                check='"status" = \'accepted\' AND "accepted_at" IS NOT NULL'
                ' OR "status" = \'pending\' AND "accepted_at" IS NULL',
                name="instance_authorization_status_check",
            ),
            CheckConstraint(
                check='"organization_id" <> "owner_organization_id"',
                name="instance_authorization_organization_check",
            ),
            CheckConstraint(check='"version" >= 1', name="instance_authorization_version_check"),
            _unique("instance_authorization", "instance_id", "organization_id"),
        )
        indexes = (
            Index(fields=("owner_organization_id",), name="instance_authorization_owner_organization_id_idx"),
        )


class Tombstone(Model):
    """What is left of a membership or an authorization: who could see it, and nothing that it said.

    `parent_id` is in its address. Members of `organization` could see it; of `counterpart`, where there is
    one, those who had `counterpart_role` or more; and `partner`, whose it was.
    """

    id = fields.UUIDField(primary_key=True)
    class_name = fields.CharField(max_length=40)
    parent_id = fields.UUIDField()
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT
    )
    counterpart: fields.ForeignKeyNullableRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.RESTRICT, null=True
    )
    counterpart_role = fields.CharField(max_length=10, null=True)
    partner: fields.ForeignKeyNullableRelation[Partner] = fields.ForeignKeyField(
        "registry.Partner", related_name=False, on_delete=fields.SET_NULL, null=True
    )
    deleted_at = fields.DatetimeField()

    class Meta:
        table = "tombstone"
        indexes = (Index(fields=("partner_id",), name="tombstone_partner_id_idx"),)


class Activity(Model):
    """What was done: one row for one change, written in its transaction, which no statement changes later.

    The databases themselves refuse that. What they let through, while an erasure is open, is another text of
    `changes`.
    """

    sequence = fields.BigIntField(primary_key=True, generated=True)
    id = fields.UUIDField(unique=True)
    type = fields.CharField(max_length=10)
    object_class = fields.CharField(max_length=40)
    object_id = fields.UUIDField()
    # What else stands in the object's address.
    object_parent_id = fields.UUIDField(null=True)
    actor: fields.ForeignKeyNullableRelation[Partner] = fields.ForeignKeyField(
        "registry.Partner", related_name=False, on_delete=fields.RESTRICT, null=True
    )
    published = fields.DatetimeField()
    # A JSON array of {"property", "before", "after"}, as text: only an erasure looks inside.
    changes = fields.TextField()
    request_id = fields.CharField(max_length=64)

    class Meta:
        table = "activity"
        constraints = (
            CheckConstraint(
                check="\"type\" IN ('Create', 'Update', 'Delete', 'Move', 'Add', 'Remove')",
                name="activity_type_check",
            ),
        )
        indexes = (
            Index(fields=("object_id",), name="activity_object_id_idx"),
            Index(fields=("actor_id",), name="activity_actor_id_idx"),
        )


class ActivityOrganization(Model):
    """The organizations that an activity concerns, under each of which it is listed."""

    id = fields.BigIntField(primary_key=True, generated=True)
    activity: fields.ForeignKeyRelation[Activity] = fields.ForeignKeyField(
        "registry.Activity", related_name=False, on_delete=fields.CASCADE
    )
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "registry.Organization", related_name=False, on_delete=fields.CASCADE
    )

    class Meta:
        table = "activity_organization"
        # The index of this constraint is also what the activities of an organization are read by.
        constraints = (_unique("activity_organization", "organization_id", "activity_id"),)
        indexes = (Index(fields=("activity_id",), name="activity_organization_activity_id_idx"),)


class Erasure(Model):
    """A person who was forgotten: what their tokens tell is not kept again. Open while it is carried out."""

    partner: fields.OneToOneRelation[Partner] = fields.OneToOneField(
        "registry.Partner", related_name=False, on_delete=fields.RESTRICT, primary_key=True
    )
    erased_at = fields.DatetimeField()
    open = fields.BooleanField()

    class Meta:
        table = "erasure"


class RememberedAnswer(Model):
    """How a POST with an Idempotency-Key was answered, written in the transaction of its change.

    `fingerprint` is that of the request, `header_fields` a JSON array of names and values. A row that is
    older than a day counts no more, and is deleted or replaced by a later one.
    """

    id = fields.BigIntField(primary_key=True, generated=True)
    partner: fields.ForeignKeyRelation[Partner] = fields.ForeignKeyField(
        "registry.Partner", related_name=False, on_delete=fields.RESTRICT
    )
    path = fields.CharField(max_length=255)
    idempotency_key = fields.CharField(max_length=255)
    fingerprint = fields.CharField(max_length=64)
    status = fields.IntField()
    header_fields = fields.TextField()
    content = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "remembered_answer"
        constraints = (_unique("remembered_answer", "partner_id", "path", "idempotency_key"),)
        indexes = (Index(fields=("created_at",), name="remembered_answer_created_at_idx"),)


class Secret(Model):
    """What all processes of the service share without being configured, in hexadecimal digits."""

    name = fields.CharField(max_length=40, primary_key=True)
    value = fields.CharField(max_length=128)

    class Meta:
        table = "secret"


TABLES: tuple[type[Model], ...] = (
    Organization,
    Instance,
    Partner,
    Membership,
    InstanceTally,
    Authorization,
    Tombstone,
    Activity,
    ActivityOrganization,
    Erasure,
    RememberedAnswer,
    Secret,
)

# SQLite has no type for times: a column is known as one by its name.
TIME_COLUMNS = frozenset(
    column
    for model in TABLES
    for column, field in model._meta.fields_map.items()  # noqa: SLF001 - Tortoise's public place for it
    if isinstance(field, fields.DatetimeField)
)
