from django.apps import AppConfig


class Config(AppConfig):
    name = "backend.realtime"
    label = "realtime"
