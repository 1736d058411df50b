from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.artifacts"
    label = "artifacts"
