from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.deployments"
    label = "deployments"
