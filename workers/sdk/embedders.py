"""What can turn items into vectors: one record for each file in `workers/embedding/embedders`, for whoever offers or asks for one.

Nothing here computes. `takes_text` says whether words can be looked for in the same space; where not, `why_no_text` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Modality = Literal["images", "text", "table"]


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """`needs` names the parameters that must be given: `model` (a registered one, `name@3`), `checkpoint` (a folder among the studio's
    checkpoints, or a name on the hub) or `column` (of a table)."""

    name: str
    title: str
    help: str
    modalities: frozenset[Modality]
    version: int = 1
    """Grows when the same items would get other vectors."""
    needs: tuple[str, ...] = field(default=())
    takes_text: bool = False
    why_no_text: str = ""


EMBEDDERS: dict[str, Embedder] = {
    one.name: one
    for one in (
        Embedder(
            name="picture_shapes",
            title="Shapes and colours",
            help="Edges and colours of each part of the picture. Needs no model, and is ready at once.",
            modalities=frozenset({"images"}),
            why_no_text="It knows shapes and colours, not words. Compute a space with a checkpoint such as CLIP to look for words.",
        ),
        Embedder(
            name="picture_model",
            title="What a model of this project sees",
            help="The features from which a registered image model decides: close is what it takes for alike.",
            modalities=frozenset({"images"}),
            needs=("model",),
            why_no_text="An image model knows no words. Compute a space with a checkpoint such as CLIP to look for words.",
        ),
        Embedder(
            name="picture_checkpoint",
            title="A pretrained checkpoint",
            help="CLIP, SigLIP, DINOv2 or the like: a folder among the studio's checkpoints, or a name on the hub if it is reached.",
            modalities=frozenset({"images"}),
            needs=("checkpoint",),
            takes_text=True,
            why_no_text="This checkpoint has no part that reads text.",
        ),
        Embedder(
            name="text_terms",
            title="Words they share",
            help="Weighted words and pairs of words, condensed to topics (latent semantic analysis). Learned from this data set alone.",
            modalities=frozenset({"text", "table"}),
            needs=("column",),
            takes_text=True,
        ),
        Embedder(
            name="text_checkpoint",
            title="A pretrained language model",
            help="A sentence encoder: a folder among the studio's checkpoints, or a name on the hub if this machine reaches it.",
            modalities=frozenset({"text", "table"}),
            needs=("checkpoint", "column"),
            takes_text=True,
        ),
        Embedder(
            name="row_values",
            title="Values of the row",
            help="Numbers on one scale, categories side by side; long texts are left out.",
            modalities=frozenset({"table"}),
            why_no_text="The space is made of values. Compute one from a column of text to look for words.",
        ),
    )
}
