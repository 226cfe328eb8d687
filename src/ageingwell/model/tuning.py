"""More shapes of trees to try, drawn by a seed: a small random search."""

import numpy as np

from ageingwell.model.trees import Shape


def drawn_shapes(n: int, *, seed: int) -> tuple[Shape, ...]:
    """`n` shapes drawn at random; the same seed draws the same shapes.

    >>> drawn_shapes(2, seed=1) == drawn_shapes(2, seed=1)
    True
    """
    draw = np.random.default_rng(seed)
    return tuple(
        Shape(
            leaves=int(draw.choice([2, 3, 4, 6, 8, 12, 16, 31, 63])),
            learning_rate=float(draw.choice([0.02, 0.03, 0.05, 0.1])),
            events_per_leaf=float(draw.choice([0.2, 1.0, 2.0, 4.0, 8.0])),
            people_per_leaf=int(draw.choice([2, 10, 20, 50, 100])),
            ridge=float(draw.choice([1.0, 3.0, 10.0, 30.0])),
            feature_share=float(draw.choice([0.3, 0.5, 0.8])),
            row_share=float(draw.choice([0.5, 0.7, 0.9])),
            depth=int(draw.choice([3, 5, 8])),
        )
        for _ in range(n)
    )
