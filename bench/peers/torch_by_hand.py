"""A MAF as someone who knows PyTorch writes it without a library: the fastest plain code that we know of.

Masks are multiplied in training and applied once for evaluation; every other layer reverses the order of the features by
its masks, so that no tensor is flipped; the optimizer is PyTorch's fused Adam. torch.compile made it slower on two cores.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class MaskedLinear(nn.Linear):
    def __init__(self, mask):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask)
        self.masked = None

    def matrix(self):
        if not torch.is_grad_enabled():
            if self.masked is None:
                self.masked = self.weight * self.mask
            return self.masked
        return self.weight * self.mask

    def forward(self, x):
        return functional.linear(x, self.matrix(), self.bias)


class AutoregressiveLayer(nn.Module):
    """z = (x - shift(x)) exp(-log_scale(x)), where feature i sees the features before it in the order."""

    def __init__(self, features, hidden, order):
        super().__init__()
        self.order = order
        degrees = torch.empty(features, dtype=torch.long)
        degrees[torch.tensor(order)] = torch.arange(features)
        layers = []
        inputs = degrees
        for width in hidden:
            units = torch.arange(width) % max(1, features - 1)
            layers += [MaskedLinear((units[:, None] >= inputs[None, :]).float()), nn.ReLU()]
            inputs = units
        outputs = degrees.repeat(2)
        self.hidden = nn.Sequential(*layers)
        self.out = MaskedLinear((outputs[:, None] > inputs[None, :]).float())

    def forward(self, x):
        shift, log_scale = self.out(self.hidden(x)).chunk(2, -1)
        return (x - shift) * torch.exp(-log_scale), -log_scale.sum(-1)

    def inverse(self, z):
        features = z.shape[1]
        x = torch.zeros_like(z)
        matrix, bias = self.out.matrix(), self.out.bias
        for i in self.order:
            rows = [i, features + i]
            shift, log_scale = functional.linear(self.hidden(x), matrix[rows], bias[rows]).unbind(-1)
            x[:, i] = z[:, i] * torch.exp(log_scale) + shift
        return x


class MAF(nn.Module):
    def __init__(self, features, transforms, hidden):
        super().__init__()
        self.features = features
        order = list(range(features))
        self.layers = nn.ModuleList(
            AutoregressiveLayer(features, hidden, order if i % 2 == 0 else order[::-1]) for i in range(transforms)
        )

    def log_prob(self, x):
        total = 0
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return total - 0.5 * x.square().sum(-1) - 0.5 * self.features * math.log(2 * math.pi)

    def sample(self, rows):
        x = torch.randn(rows, self.features)
        for layer in reversed(self.layers):
            x = layer.inverse(x)
        return x


class ByHand:
    versions = {}

    def build(self, case):
        return {"maf": MAF}[case["flow"]](case["dim"], case["transforms"], case["hidden"])

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, 1e-3, fused=True)

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, rows):
        return flow.sample(rows)
