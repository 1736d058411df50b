"""What a detector is taught, its loss, and how pictures and their boxes are changed together."""

from __future__ import annotations

import torch

from workers.training import objects
from workers.training.networks import Pictures


def truth(*boxes: tuple[float, float, float, float, int]) -> torch.Tensor:
    return torch.tensor([boxes], dtype=torch.float32)


def test_a_box_is_taught_around_its_middle_and_the_smaller_one_where_two_lie_over_each_other() -> None:
    large, small, none = (0.0, 0.0, 1.0, 1.0, 0), (0.4, 0.4, 0.6, 0.6, 1), (0.0, 0.0, 0.0, 0.0, -1)
    heat, owner, share = objects.taught(truth(large, small, none), 20, 20, 2)
    heat, owner, share = heat[0].view(2, 20, 20), owner[0].view(20, 20), share[0].view(20, 20)
    assert heat[0].eq(1).sum() == 1 and heat[0, 10, 10] == 1 and 0 < heat[0, 10, 14] < heat[0, 10, 12] < 1 and heat[0, 0, 0] == 0
    assert heat[1].gt(0).sum() < heat[0].gt(0).sum() and heat[1, 10, 10] == 1
    assert owner[10, 10] == 1 and owner[10, 14] == 0
    assert torch.allclose(share.sum(), torch.tensor(2.0)), "each box counts as much, whatever its size"
    crumb = objects.taught(truth((0.5, 0.5, 0.501, 0.501, 0)), 20, 20, 1)
    assert crumb[0].eq(1).sum() == 1 and crumb[2].sum() == 1, "a box smaller than a place has one"
    empty = objects.taught(truth(none), 20, 20, 2)
    assert empty[0].sum() == 0 and empty[2].sum() == 0


def test_the_loss_is_small_for_the_truth_and_grows_with_what_is_wrong() -> None:
    box = (0.25, 0.25, 0.75, 0.5, 1)
    loss_of = objects.loss_for(8, 8, 2)
    heat, _, _ = objects.taught(truth(box), 8, 8, 2)

    def loss(sides: tuple[float, ...], logits: torch.Tensor) -> float:
        places = torch.cat([torch.tensor(sides).expand(64, 4), logits.view(2, 64).T], dim=1)[None].requires_grad_()
        value = loss_of(places, truth(box), None)
        value.backward()
        assert places.grad is not None and places.grad.isfinite().all()
        return float(value.detach())

    right = torch.where(heat[0].eq(1), 8.0, -8.0)
    good = loss(box[:4], right)
    assert good < 0.01 < loss((0.3, 0.25, 0.75, 0.5), right) < loss((0.9, 0.9, 1.0, 1.0), right)
    assert loss(box[:4], right.flip(0)) > 5 and loss(box[:4], -right.abs()) > 5, "the wrong label, and none"
    nothing = loss_of(torch.zeros(1, 64, 6), truth((0, 0, 0, 0, -1)), None)
    assert torch.isfinite(nothing)
    apart = objects.generalised(torch.tensor([[0.0, 0, 0.1, 0.1]]), torch.tensor([[0.9, 0.9, 1, 1]]))
    assert torch.allclose(apart, torch.tensor([-0.98]), atol=1e-5)  # no overlap; 0.98 of the box around both is neither's


def test_boxes_move_with_their_pictures() -> None:
    """A bright block in the dark: after any change its box lies around what is bright."""
    pictures = torch.zeros(16, 64, 64, 1, dtype=torch.uint8)
    pictures[:, 16:32, 20:44] = 255
    model = Pictures(torch.nn.Identity(), [0.0], [1.0])
    change = objects.varied("light and mirror", model.scaled)
    boxes = torch.tensor([[[20 / 64, 16 / 64, 44 / 64, 32 / 64, 3], [0, 0, 0, 0, -1]]]).repeat(16, 1, 1)
    changed, moved = change(pictures, boxes, torch.Generator().manual_seed(3))
    places = set()
    for picture, (box, none) in zip(changed[:, 0], moved, strict=True):
        bright = picture > (picture.min() + picture.max()) / 2
        rows, columns = bright.any(1).nonzero().flatten(), bright.any(0).nonzero().flatten()
        real = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / 64
        assert torch.allclose(real, box[:4], atol=0.035), (real, box)
        assert none[4] == -1 and box[4] == 3
        places.add(tuple((box[:2] * 64).int().tolist()))
    assert len(places) > 10
    away = torch.tensor([[[0.0, 0.0, 0.02, 0.02, 1]]]).repeat(16, 1, 1)
    _, cut = change(pictures, away, torch.Generator().manual_seed(3))
    assert (cut[..., 4] == -1).any() and (cut[..., :4] >= 0).all() and (cut[..., :4] <= 1).all()
    assert objects.varied("none", model.scaled) is None
