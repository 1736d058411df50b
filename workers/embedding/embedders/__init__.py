"""Embedders: one file each, a class `Embedding` of the shape of `workers.embedding.shape.Shape`."""
