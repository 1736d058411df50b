from __future__ import annotations

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.learning"
    label = "learning"

    def ready(self) -> None:
        from backend.runs.triggers.clock import Watch, watch

        watch(Watch(sql="SELECT EXISTS (SELECT 1 FROM learning_loop WHERE active)", task="learning.look"))
