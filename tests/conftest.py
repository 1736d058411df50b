"""What every test needs from the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as profiles

from tests import tables

# A slow machine is no fault of the code: nothing here may fail for taking long.
profiles.register_profile("headrace", suppress_health_check=[HealthCheck.too_slow], deadline=None)
profiles.load_profile("headrace")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The tests' database begins as a copy of one that has its tables."""
    settings.DATABASES["default"]["TEST"]["TEMPLATE"] = tables.STUDIOS


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that commit empty all tables afterwards; the audit log refuses that, rightly, so only here the trigger is off."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # pytest-django's object
        cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER core_audit_no_truncate")
    yield
