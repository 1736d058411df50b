from __future__ import annotations

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.similarity"
    label = "similarity"

    def ready(self) -> None:
        from backend.datasets.actions.announce import version_frozen
        from backend.labeling.actions import announce, order
        from backend.similarity.actions import aside, ordering, spaces

        version_frozen.connect(spaces.when_frozen)
        announce.queue_filled.connect(aside.when_filled)
        announce.queue_filled.connect(ordering.when_filled)
        order.offer("diverse", ordering.wanted)
        order.offer("value", ordering.wanted)
