from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.registry"
    label = "registry"
