"""Every page of the router is in the album of pictures (`tests/e2e/album.py`): what nobody looks at nobody mends."""

from __future__ import annotations

from tests.e2e import album


def test_every_route_has_a_picture() -> None:
    assert len(album.routes()) > 20, "the router is written otherwise than `album.routes` reads it"
    assert not album.uncovered(), "add a shot to tests/e2e/album.py"


def test_every_picture_has_a_name_of_its_own_and_a_route_that_there_is() -> None:
    names = [shot.name for shot in album.SHOTS]
    assert len(names) == len(set(names))
    assert {shot.route for shot in album.SHOTS} <= album.routes()
