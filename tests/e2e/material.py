"""Data for the browser tests, made by seeded generators: a churn table with the usual blemishes, and pictures of two shapes."""

from __future__ import annotations

import csv
import io
import math
import random
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw

COLUMNS = ["customer", "age", "postcode", "contract", "payment", "monthly_fee", "months", "support_calls", "paperless", "since", "churned"]
CONTRACTS, PAYMENTS = ("monthly", "yearly", "two years"), ("card", "transfer", "cash", "wallet")


def churn(path: Path, rows: int = 1500, seed: int = 7) -> Path:
    """Customers who stayed or left. The postcode looks like a number and is none; some ages, payments and dates are missing."""
    rng = random.Random(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for number in range(rows):
            contract = rng.choices(CONTRACTS, (5, 3, 2))[0]
            months = rng.randint(1, 72)
            calls = min(9, int(rng.expovariate(0.6)))
            fee = round(rng.gauss(62, 18) + (9 if contract == "monthly" else 0), 2)
            pull = 1.7 * (contract == "monthly") + 0.55 * calls - 0.045 * months + 0.02 * (fee - 60) - 0.9
            left = rng.random() < 1 / (1 + math.exp(-pull))
            out.writerow(
                [
                    f"C{number:05d}",
                    "" if rng.random() < 0.06 else rng.randint(18, 90),
                    rng.choice((10115, 20095, 50667, 80331)),
                    contract,
                    "" if rng.random() < 0.04 else rng.choice(PAYMENTS),
                    fee,
                    months,
                    calls,
                    rng.choice(("yes", "no")),
                    f"20{rng.randint(15, 24)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
                    "yes" if left else "no",
                ]
            )
    return path


def shape(kind: str, rng: random.Random) -> bytes:
    """One PNG of 24 × 24 pixels: a ring or a cross on a noisy ground."""
    image = Image.new("RGB", (24, 24))
    image.putdata([tuple(rng.randint(0, 70) for _ in range(3)) for _ in range(24 * 24)])
    draw = ImageDraw.Draw(image)
    x, y, size = rng.randint(5, 8), rng.randint(5, 8), rng.randint(9, 12)
    colour = tuple(rng.randint(150, 255) for _ in range(3))
    if kind == "ring":
        draw.ellipse((x, y, x + size, y + size), outline=colour, width=2)
    else:
        draw.line((x, y, x + size, y + size), fill=colour, width=2)
        draw.line((x, y + size, x + size, y), fill=colour, width=2)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def shapes(path: Path, each: int = 60, seed: int = 3) -> Path:
    """A zip with a folder a class."""
    rng = random.Random(seed)
    with zipfile.ZipFile(path, "w") as archive:
        for kind in ("ring", "cross"):
            for number in range(each):
                archive.writestr(f"{kind}/{number:03d}.png", shape(kind, rng))
    return path
