"""The predictor: an ASGI process of its own that answers endpoints with ONNX Runtime. No Django, no torch."""
