"""The projection head: the only part of FIGMA that is trained, one for each modality.

Two post-norm transformer encoder layers and a linear map into the shared space (FIGMA, arXiv 2606.06615, section 3).
There is no position embedding: positions are already in what the frozen encoders put out.
"""

import torch
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """Map encoder frames or tokens into the shared space; both views of a modality go through the same head.

    Args:
        input_dim: Width of the frozen encoder's output.
        width: Width of the transformer layers; None takes ``input_dim``. Where it differs from ``input_dim``, a linear
            layer goes before. At ``input_dim`` = ``width`` = 1024 and the other defaults, 11,030,016 parameters.
        layers, heads, ffn, dropout: Number of layers, attention heads, feed-forward width, dropout rate.
        out: Width of the shared space.

    Raises ValueError when ``heads`` does not divide ``width``.
    """

    def __init__(
        self,
        input_dim: int,
        width: int | None = None,
        layers: int = 2,
        heads: int = 8,
        ffn: int = 512,
        out: int = 512,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        width = width or input_dim
        if width % heads:
            raise ValueError(f"{heads} attention heads do not divide a head of width {width}; change head_width")
        self.input = nn.Linear(input_dim, width) if width != input_dim else nn.Identity()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, ffn, dropout, batch_first=True) for _ in range(layers)
        )
        self.output = nn.Linear(width, out)

    def hidden(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Float [N, S, width]: what the transformer layers make of ``x``, float [N, S, input_dim].

        ``mask``, bool [N, S], is True where a position is real: the others are not attended to. None attends to all.
        """
        h: Tensor = self.input(x)
        # A mask without a hole costs time and changes nothing.
        padding = None if mask is None or bool(mask.all()) else ~mask
        for layer in self.layers:
            h = layer(h, src_key_padding_mask=padding)
        return h

    def frames(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Float [N, S, out]: the frame view before normalisation; arguments as in :meth:`hidden`."""
        projected: Tensor = self.output(self.hidden(x, mask))
        return projected

    def globals_(self, pooled: Tensor) -> Tensor:
        """Float [N, out]: the global view of pooled encoder features, float [N, input_dim], before normalisation.

        The pooled vector is a sequence of one: pool, then project.
        """
        projected: Tensor = self.output(self.hidden(pooled[:, None], None))
        return projected[:, 0]


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``x``, float [N, S, d], over the positions where ``mask``, bool [N, S], is True; float [N, d].

    Padding never enters, not even as 0 x NaN.
    """
    total = torch.where(mask[..., None], x, 0).sum(1, dtype=torch.promote_types(x.dtype, torch.float32))
    return (total / mask.sum(1, keepdim=True)).to(x.dtype)
