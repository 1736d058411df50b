from __future__ import annotations

from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.labelstudio"
    label = "labelstudio"

    def ready(self) -> None:
        from backend.labeling.actions.announce import annotation_changed
        from backend.labelstudio.actions.telling import annotation_said

        annotation_changed.connect(annotation_said, dispatch_uid="labelstudio")
