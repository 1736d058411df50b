"""One synchronisation with a Label Studio server, in the worker.

Tasks that only one side has are made on the other, their files travel by the API. Every annotation is kept the same on both sides, with its
author, as far as each side knows them; predictions are added, never taken away. What one side changed since both were the same goes to the
other. Where both changed it, where one side does not take it, or where something was deleted that the other side changed meanwhile,
nothing is overwritten and a person chooses. Only what changed since the last time is read and sent; a synchronisation that was
cut off goes on where it stopped.
"""

from backend.labelstudio.actions.sync.run import sync

__all__ = ["sync"]
