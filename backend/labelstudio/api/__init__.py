"""The routes of Label Studio's API (`routes.ROUTES`): importing this fills the table."""

from backend.labelstudio.api import exports, labels, people, projects, servers, tasks, uploads

__all__ = ["exports", "labels", "people", "projects", "servers", "tasks", "uploads"]
