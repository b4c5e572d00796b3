"""Image flows of pushforward in PyTorch, read from model files, as a reader of PyTorch's documentation would write them.

Convolutions have the memory format channels_last, attention is scaled_dot_product_attention, and the optimizer is the fused Adam: the fastest
forms on processors. Images are [N, height, width, channels].

usage: python3 torch_images.py --model FILE --pixels FILE [--steps 2000 --batch 64 --learning-rate 0.001 --clip-norm 5]

trains the flow of a model file on images, a file of one byte per pixel, and prints a line of JSON every 100 steps: the median loss in nats since
the last line, and the seconds of training. The last line has the peak memory in MB.
"""

import argparse
import json
import math
import resource
import struct
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from torch_by_hand import ByHand

PIXEL_VALUES = 256
STEPS_PER_LINE = 100


def read_model(path):
    """The description of the flow, and its parameters by name."""
    with open(path, "rb") as file:
        data = file.read()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    description = json.loads(header.pop("__metadata__")["pushforward"])["flow"]
    parameters = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = np.frombuffer(data[end + first : end + last], {"F32": np.float32, "F64": np.float64}[entry["dtype"]])
        parameters[name] = torch.tensor(values.astype(np.float32).reshape(entry["shape"]))
    return description, parameters


class Weights:
    """The parameters whose names start with a prefix."""

    def __init__(self, parameters, prefix=""):
        self.parameters = parameters
        self.prefix = prefix

    def __truediv__(self, name):
        return Weights(self.parameters, f"{self.prefix}{name}.")

    def __getitem__(self, name):
        return nn.Parameter(self.parameters[self.prefix + name].clone())


class Convolution(nn.Module):
    """A convolution of images [N, H, W, C], whose permutation to [N, C, H, W] is a view in the memory format channels_last."""

    def __init__(self, weights):
        super().__init__()
        kernel = weights["weight"].permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(kernel.detach())
        self.bias = weights["bias"]
        self.padding = kernel.shape[-1] // 2

    def forward(self, x):
        return functional.conv2d(x.permute(0, 3, 1, 2), self.weight, self.bias, padding=self.padding).permute(0, 2, 3, 1)


class LayerNorm(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.scale = weights["scale"]
        self.shift = weights["shift"]

    def forward(self, x):
        return functional.layer_norm(x, self.scale.shape, self.scale, self.shift)


class Linear(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weight = nn.Parameter(weights["weight"].detach().T.contiguous())
        self.bias = weights["bias"]

    def forward(self, x):
        return functional.linear(x, self.weight, self.bias)


class ConvNet(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.block = description["block"]
        self.activation = getattr(functional, description["activation"])
        self.first = Convolution(weights / "first")
        self.last = Convolution(weights / "last")
        self.blocks = nn.ModuleList()
        for i in range(description["blocks"]):
            block = weights / "blocks" / i
            parts = {"pointwise": Convolution(block / "pointwise")}
            if self.block != "plain":
                parts["spatial"] = Convolution(block / "spatial")
            if self.block == "gated":
                parts["norm"] = LayerNorm(block / "norm")
            self.blocks.append(nn.ModuleDict(parts))

    def forward(self, x):
        h = self.first(x)
        for block in self.blocks:
            a = self.activation(h)
            if self.block == "plain":
                h = block["pointwise"](a)
                continue
            change = block["pointwise"](self.activation(block["spatial"](a)))
            if self.block == "residual":
                h = h + change
            else:
                h = block["norm"](h + functional.glu(change, -1))
        return self.last(self.activation(h))


LOG_SCALE_BOUND = math.log(1000)


def soft_clamp(x, bound=LOG_SCALE_BOUND):
    return x / (1 + x.abs() / bound)


class Coupling(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        assert description["transform"]["type"] == "affine"
        self.bound = description["transform"].get("bound", LOG_SCALE_BOUND)
        self.shape = description["image"]
        self.inverted = description["inverted"]
        self.network = ConvNet(description["network"], weights / "network")
        self.mask = None
        height, width, channels = self.shape
        if description["mask"] == "checkerboard":
            odd = (torch.arange(height)[:, None] + torch.arange(width)) % 2 == 1
            self.mask = (odd != self.inverted).float()[:, :, None]
        self.sizes = [channels // 2, channels - channels // 2]

    def parameters_of(self, unchanged, context):
        inputs = unchanged if context is None else torch.cat([unchanged, context], -1)
        shift, scale = self.network(inputs).chunk(2, -1)
        return shift, soft_clamp(scale, self.bound)

    def apply_affine(self, x, context, affine):
        """Changes some pixels or channels of x by affine(x, shift, log scale)."""
        if self.mask is not None:
            shift, log_scale = self.parameters_of(x * (1 - self.mask), context)
            shift, log_scale = shift * self.mask, log_scale * self.mask
            return affine(x, shift, log_scale), log_scale.sum((1, 2, 3))
        parts = list(x.split(self.sizes, -1))
        changed = 0 if self.inverted else 1
        shift, log_scale = self.parameters_of(parts[1 - changed], context)
        parts[changed] = affine(parts[changed], shift, log_scale)
        return torch.cat(parts, -1), log_scale.sum((1, 2, 3))

    def to_latent(self, x, context=None):
        return self.apply_affine(x, context, lambda x, shift, log_scale: torch.addcmul(shift, x, log_scale.exp()))

    def to_data(self, z, context=None):
        value, log_det = self.apply_affine(z, context, lambda z, shift, log_scale: (z - shift) * torch.exp(-log_scale))
        return value, -log_det


class Actnorm(nn.Module):
    def __init__(self, image, weights):
        super().__init__()
        self.pixels = image[0] * image[1]
        self.shift = weights["shift"]
        self.log_scale = weights["logScale"]

    def to_latent(self, x, context=None):
        return (x - self.shift) * torch.exp(-self.log_scale), -self.pixels * self.log_scale.sum()

    def to_data(self, z, context=None):
        return torch.addcmul(self.shift, z, self.log_scale.exp()), self.pixels * self.log_scale.sum()


class LULinear(nn.Module):
    def __init__(self, image, weights):
        super().__init__()
        self.pixels = image[0] * image[1]
        self.lower, self.upper, self.log_diagonal, self.bias = (
            weights[name] for name in ("lower", "upper", "logDiagonal", "bias")
        )

    def triangles(self):
        return (
            self.lower.tril(-1) + torch.eye(len(self.lower)),
            self.upper.triu(1) + torch.diag(self.log_diagonal.exp()),
        )

    def to_latent(self, x, context=None):
        lower, upper = self.triangles()
        return x @ (lower @ upper) + self.bias, self.pixels * self.log_diagonal.sum()

    def to_data(self, z, context=None):
        lower, upper = self.triangles()
        return (z - self.bias) @ torch.linalg.inv(lower @ upper), -self.pixels * self.log_diagonal.sum()


class Squeeze(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.height, self.width, self.channels = description["image"]

    def to_latent(self, x, context=None):
        height, width, channels = self.height // 2, self.width // 2, self.channels
        blocks = x.reshape(-1, height, 2, width, 2, channels).permute(0, 1, 3, 2, 4, 5)
        return blocks.reshape(-1, height, width, 4 * channels), 0

    def to_data(self, z, context=None):
        height, width, channels = self.height // 2, self.width // 2, self.channels
        blocks = z.reshape(-1, height, width, 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
        return blocks.reshape(-1, 2 * height, 2 * width, channels), 0


class FactorOut(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.image = description["image"]
        self.inner = build(description["bijection"], weights / "bijection")
        self.channels = self.inner.features // (self.image[0] * self.image[1])

    def to_latent(self, x, context=None):
        mapped, other = x.split([self.channels, self.image[2] - self.channels], -1)
        value, log_det = self.inner.to_latent(mapped)
        return torch.cat([value.flatten(1), other.flatten(1)], 1), log_det

    def to_data(self, z, context=None):
        height, width, channels = self.image
        mapped, other = z.split([self.inner.features, height * width * channels - self.inner.features], 1)
        value, log_det = self.inner.to_data(mapped)
        other = other.reshape(-1, height, width, channels - self.channels)
        return torch.cat([value.reshape(-1, height, width, self.channels), other], -1), log_det


class Sigmoid(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.low, self.high = description["low"], description["high"]

    def to_latent(self, x, context=None):
        below, above = torch.log(x - self.low), torch.log(self.high - x)
        return below - above, (math.log(self.high - self.low) - below - above).flatten(1).sum(1)

    def to_data(self, z, context=None):
        width = self.high - self.low
        log_derivative = functional.logsigmoid(z) + functional.logsigmoid(-z) + math.log(width)
        return self.low + width * torch.sigmoid(z), log_derivative.flatten(1).sum(1)


class Attention(nn.Module):
    def __init__(self, heads, weights):
        super().__init__()
        self.heads = heads
        self.input = Linear(weights / "input")
        self.output = Linear(weights / "output")

    def forward(self, x, cache=None):
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.input(x).chunk(3, -1))
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=cache is None)
        return self.output(attended.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.first = Linear(weights / "first")
        self.positions = weights["positions"]
        self.last_norm = LayerNorm(weights / "lastNorm")
        self.last = Linear(weights / "last")
        self.layers = nn.ModuleList()
        for i in range(description["layers"]):
            layer = weights / "layers" / i
            parts = {
                "attentionNorm": LayerNorm(layer / "attentionNorm"),
                "attention": Attention(description["heads"], layer / "attention"),
                "norm": LayerNorm(layer / "norm"),
                "expansion": Linear(layer / "expansion"),
                "contraction": Linear(layer / "contraction"),
            }
            self.layers.append(nn.ModuleDict(parts))

    def forward(self, tokens, caches=None, position=None):
        positions = self.positions if position is None else self.positions[position]
        h = self.first(tokens) + positions
        for i, layer in enumerate(self.layers):
            h = h + layer["attention"](layer["attentionNorm"](h), None if caches is None else caches[i])
            h = h + layer["contraction"](functional.gelu(layer["expansion"](layer["norm"](h))))
        return self.last(self.last_norm(h))


class PatchAutoregressive(nn.Module):
    def __init__(self, description, weights):
        super().__init__()
        self.image, self.patch = description["image"], description["patch"]
        self.reversed = description["reversed"]
        self.network = Transformer(description["network"], weights / "network")

    def to_patches(self, x):
        height, width, channels = self.image
        p = self.patch
        blocks = x.reshape(-1, height // p, p, width // p, p, channels).permute(0, 1, 3, 2, 4, 5)
        patches = blocks.reshape(len(x), (height // p) * (width // p), p * p * channels)
        return patches.flip(1) if self.reversed else patches

    def to_image(self, patches):
        height, width, channels = self.image
        p = self.patch
        patches = patches.flip(1) if self.reversed else patches
        blocks = patches.reshape(-1, height // p, width // p, p, p, channels).permute(0, 1, 3, 2, 4, 5)
        return blocks.reshape(-1, height, width, channels)

    def to_latent(self, x, context=None):
        patches = self.to_patches(x)
        shift, scale = self.network(functional.pad(patches[:, :-1], (0, 0, 1, 0))).chunk(2, -1)
        log_scale = soft_clamp(scale)
        return self.to_image((patches - shift) * torch.exp(-log_scale)), -log_scale.sum((1, 2))

    def to_data(self, z, context=None):
        latent = self.to_patches(z)
        caches = [[] for _ in self.network.layers]
        patches, log_scales = [], []
        for t in range(latent.shape[1]):
            previous = patches[-1] if patches else torch.zeros_like(latent[:, :1])
            shift, scale = self.network(previous, caches, t).chunk(2, -1)
            log_scales.append(soft_clamp(scale))
            patches.append(latent[:, t : t + 1] * torch.exp(log_scales[-1]) + shift)
        return self.to_image(torch.cat(patches, 1)), torch.cat(log_scales, 1).sum((1, 2))


class Chain(nn.Module):
    """The first bijection is next to the base."""

    def __init__(self, description, weights):
        super().__init__()
        self.parts = nn.ModuleList(
            build(part, weights / "bijections" / i) for i, part in enumerate(description["bijections"])
        )
        self.features = features_of(description["bijections"][-1])
        first = description["bijections"][0]
        # The latent side is an image, except for that of a FactorOut, which is a row.
        self.latent_shape = None if first["type"] == "factorOut" else latent_image(first)

    def to_latent(self, x, context=None):
        total = 0
        for part in reversed(self.parts):
            x, log_det = part.to_latent(x, context)
            total = total + log_det
        return x, total

    def to_data(self, z, context=None):
        total = 0
        z = z if self.latent_shape is None else z.reshape(-1, *self.latent_shape)
        for part in self.parts:
            z, log_det = part.to_data(z, context)
            total = total + log_det
        return z, total


def features_of(description):
    return description["features"] if "features" in description else math.prod(description["image"])


def latent_image(description):
    if description["type"] != "squeeze":
        return description["image"]
    height, width, channels = description["image"]
    return [height // 2, width // 2, 4 * channels]


PARTS = {
    "chain": Chain,
    "imageCoupling": Coupling,
    "squeeze": Squeeze,
    "factorOut": FactorOut,
    "sigmoid": Sigmoid,
    "patchAutoregressive": PatchAutoregressive,
}
PER_PIXEL = {"actnorm": Actnorm, "luLinear": LULinear}


def build(description, weights):
    kind = description["type"]
    if kind == "perPixel":
        return PER_PIXEL[description["bijection"]["type"]](description["image"], weights / "bijection")
    return PARTS[kind](description, weights)


class ImageFlow(nn.Module):
    """The distribution of whole pixels of a model file, with uniform or variational dequantization."""

    def __init__(self, path):
        super().__init__()
        description, parameters = read_model(path)
        base = description["base"]
        weights = Weights(parameters) / "base"
        self.chain = Chain(base["distribution"]["bijection"], weights / "distribution" / "bijection")
        self.dequantizer = Chain(base["dequantizer"], weights / "dequantizer") if "dequantizer" in base else None
        self.image = next(part["image"] for part in base["distribution"]["bijection"]["bijections"][::-1] if "image" in part)

    def log_prob(self, pixels, uniform=None):
        """A lower bound for images of whole pixels [N, D], from one draw of uniform noise [N, D]."""
        x = pixels.float().reshape(-1, *self.image)
        noise = torch.rand_like(x) if uniform is None else uniform.reshape(x.shape)
        log_q = 0
        if self.dequantizer is not None:
            z = torch.log(noise) - torch.log1p(-noise)
            log_base = -(2 * functional.softplus(-z.abs()) + z.abs()).flatten(1).sum(1)
            noise, log_det = self.dequantizer.to_data(z, x * (2 / (PIXEL_VALUES - 1)) - 1)
            log_q = log_base - log_det
        z, log_det = self.chain.to_latent(x + noise)
        z = z.flatten(1)
        return log_det - 0.5 * z.square().sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi) - log_q

    def sample(self, count):
        x, _ = self.chain.to_data(torch.randn(count, math.prod(self.image)))
        return x.floor().clamp(0, PIXEL_VALUES - 1)


class Images(ByHand):
    """The library of torch_peer.py for image flows, whose model files are in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def build(self, case):
        return ImageFlow(f"{self.folder}/{case['flow']}.safetensors")

    def rows(self, count, features):
        return torch.randint(0, PIXEL_VALUES, (count, features)).float()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--pixels", required=True)
    arguments.add_argument("--steps", type=int, default=2000)
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--learning-rate", type=float, default=1e-3)
    arguments.add_argument("--clip-norm", type=float, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    flow = ImageFlow(options.model)
    pixels = torch.from_numpy(np.fromfile(options.pixels, np.uint8)).reshape(-1, math.prod(flow.image))
    optimizer = torch.optim.Adam(flow.parameters(), options.learning_rate, fused=True)
    batches = iter(())
    losses = []
    for step in range(1, options.steps + 1):
        batch = next(batches, None)
        if batch is None:
            order = torch.randperm(len(pixels))[: len(pixels) // options.batch * options.batch]
            batches = iter(order.split(options.batch))
            batch = next(batches)
        loss = -flow.log_prob(pixels[batch]).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), options.clip_norm)
        optimizer.step()
        losses.append(loss.item())
        # The first step also starts threads; that of pushforward compiles the graphs.
        if step == 1:
            start = time.perf_counter()
        if step % STEPS_PER_LINE == 0:
            say(step=step, loss=float(np.median(losses)), seconds=time.perf_counter() - start)
            losses = []
    say(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def say(**message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
