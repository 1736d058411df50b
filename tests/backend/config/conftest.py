"""A furnished project, for the tests that walk the whole API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from backend.core.models import Project
from tests.backend.config.furnish import Furnished, furnish
from tests.backend.people import person


@pytest.fixture(scope="module")
def furnished(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Made once, inside a transaction that is rolled back at the end; each test is a savepoint within it."""
    from django.conf import settings as django_settings

    from backend.deployments import actions

    folder = tmp_path_factory.mktemp("openapi")
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr(django_settings, "ARTIFACT_URL", str(folder / "artifacts"))
        patch.setattr(django_settings, "PREDICTOR_URL", "http://127.0.0.1:9")
        patch.setattr(actions, "WAIT_S", 0)  # there is no predictor here to wait for
        patch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)  # a request must not end the transaction
        with transaction.atomic():
            owner = person(Project.objects.create(slug="lab", name="Lab"), "owner")
            yield furnish(owner, folder)
            transaction.set_rollback(True)
