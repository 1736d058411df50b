"""Writes of `pipelines`: check, change, notify. One verb a file."""

from backend.pipelines.actions.code import check_code, create_code, delete_code, publish_code, restore_code
from backend.pipelines.actions.create import create_pipeline, import_yaml, read_yaml
from backend.pipelines.actions.describe import delete_pipeline, restore_pipeline, update_pipeline
from backend.pipelines.actions.draft import Appended, append_updates, read_log, save_draft
from backend.pipelines.actions.publish import publish

__all__ = [
    "Appended", "append_updates", "check_code", "create_code", "create_pipeline", "delete_code", "delete_pipeline", "import_yaml",
    "publish", "publish_code", "read_log", "read_yaml", "restore_code", "restore_pipeline", "save_draft", "update_pipeline",
]  # fmt: skip
