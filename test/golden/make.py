"""Writes golden numbers: log-densities and latent values of zuko's flows and torch's distributions, with the same models as
pushforward's descriptions and parameters.

    PYTHONPATH=<a checkout of github.com/probabilists/zuko> python make.py

Requires torch and zuko (the files were written with torch 2.6.0 and zuko 1.6.0). Writes one JSON file per case to this folder.
The same versions on the same machine write the same bytes; on other machines the last digits of the results may differ.

Each case is the source text of an expression that builds the PyTorch model; the text is evaluated and stored in the file.
Everything is computed in float64. Weights and inputs are rounded to four decimals before any computation, so that they are
stored exactly.

These differences between zuko and pushforward are translated:
- zuko's chain goes from data to latent; pushforward's lists the bijection next to the base first.
- zuko's `order[i]` is the position of feature i; pushforward's `order[k]` is the feature at position k.
- zuko orders the parameters of scalar transforms by feature; pushforward by kind of parameter, such as all widths first.
- pushforward's masked networks have hidden units sorted by degree, and weights [inputs, outputs].
- zuko's residual networks have no activation before a block and before the outputs. pushforward's have, but can represent
  zuko's with twice the units: see `split_signs`.
"""

import json
import math
from functools import partial
from pathlib import Path

import torch
import zuko
from torch import nn, tensor
from torch.distributions import (
    AffineTransform,
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    SigmoidTransform,
    StudentT,
    TransformedDistribution,
    Uniform,
)
from zuko.distributions import DiagNormal
from zuko.flows import MAF, NICE, NSF, RealNVP
from zuko.flows.autoregressive import MaskedAutoregressiveTransform
from zuko.flows.coupling import GeneralCouplingTransform
from zuko.flows.gaussianization import ElementWiseTransform
from zuko.lazy import Flow, LazyInverse, UnconditionalDistribution, UnconditionalTransform
from zuko.nn import Linear, MaskedLinear, Residual
from zuko.transforms import (
    AdditiveTransform,
    LULinearTransform,
    MonotonicAffineTransform,
    MonotonicRQSTransform,
    PermutationTransform,
)

torch.set_default_dtype(torch.float64)
HERE = Path(__file__).parent
VERSIONS = {"torch": torch.__version__.split("+")[0], "zuko": zuko.__version__}


# Functions that the expressions of the cases use, in addition to zuko and torch.


def logistic(features):
    """The standard logistic distribution: the logit of a uniform variable."""
    uniform = Uniform(torch.zeros(features), torch.ones(features))
    return Independent(TransformedDistribution(uniform, [SigmoidTransform().inv]), 1)


def over_logistic(flow):
    """The flow with a standard logistic base distribution."""
    return Flow(flow.transform, UnconditionalDistribution(logistic, flow.base().event_shape[0]))


def inverted(flow):
    """The flow with each transform replaced by its inverse."""
    return Flow([layer.inv for layer in flow.transform.transforms], flow.base)


def preactivated(flow, activation):
    """zuko's residual flow in the order of He et al. (2016): an activation before each block and before the outputs."""
    for layer in flow.transform.transforms:
        first, *blocks, last = layer.hyper
        blocks = [Residual(activation(), block[0], activation(), block[2]) for block in blocks]
        layer.hyper = nn.Sequential(first, *blocks, activation(), last)
    return flow


def mixed():
    """A coupling flow with linear maps before and between the couplings, and a base distribution with mean and scale."""
    shift, scale = tensor([0.5, -1.25, 2.0, 0.125]), tensor([1.5, 0.75, 2.5, 0.5])
    lu = tensor([[1.2, 0.3, -0.4, 0.5], [-0.6, 0.8, 0.7, -0.3], [0.4, -0.5, 1.1, 0.2], [0.3, 0.6, -0.2, 0.9]])
    network = {"hidden_features": [10], "activation": nn.Tanh}
    mask = tensor([True, True, False, False])
    return Flow(
        [
            UnconditionalTransform(standardize, shift, scale, buffer=True),
            GeneralCouplingTransform(4, mask=mask, **network),
            UnconditionalTransform(PermutationTransform, tensor([2, 0, 3, 1]), buffer=True),
            UnconditionalTransform(LULinearTransform, lu, buffer=True),
            UnconditionalTransform(actnorm, -shift, scale.log(), buffer=True),
            GeneralCouplingTransform(4, mask=~mask, **network),
        ],
        UnconditionalDistribution(DiagNormal, tensor([0.3, -0.2, 0.1, 0.4]), scale, buffer=True),
    )


def standardize(shift, scale):
    """u = (x - shift) / scale."""
    return AffineTransform(shift, scale).inv


def actnorm(shift, log_scale):
    """u = (x - shift) exp(-log_scale)."""
    return AffineTransform(shift, log_scale.exp()).inv


def gaussian_mixture(logits, means, factors):
    """A mixture of Gaussians with precisions A A^T for lower triangular A."""
    precision = factors @ factors.mT
    return MixtureSameFamily(Categorical(logits=logits), MultivariateNormal(means, precision_matrix=precision))


MEANS = tensor([[-1.5, 0.5, 2.0], [1.0, -0.25, -1.0]])
FACTORS = tensor(
    [[[1.25, 0, 0], [0.7, 0.8, 0], [-0.4, 1.1, 2.0]], [[0.5, 0, 0], [-0.9, 3.0, 0], [0.6, -0.3, 0.4]]]
)

# Python expressions. zuko's first argument is the number of features, and the second the number of context features.
FLOWS = {
    "maf": "MAF(3, transforms=3, randperm=True, hidden_features=[12, 12], activation=nn.Tanh)",
    "maf-context": "MAF(3, 2, transforms=3, randperm=True, hidden_features=[12, 12], activation=nn.ReLU)",
    "maf-unequal-widths": "MAF(4, transforms=2, randperm=True, hidden_features=[7, 11, 8], activation=nn.ReLU)",
    "maf-residual": "MAF(3, transforms=2, randperm=True, hidden_features=[8, 8], activation=nn.ReLU, residual=True)",
    "maf-residual-preactivated": (
        "preactivated(MAF(3, 2, transforms=2, randperm=True, hidden_features=[12, 12], residual=True), nn.ELU)"
    ),
    "iaf": "inverted(MAF(3, transforms=2, randperm=True, hidden_features=[12], activation=nn.ELU))",
    "nsf": "NSF(3, transforms=3, randperm=True, bins=8, hidden_features=[12, 12], activation=nn.SiLU)",
    "nsf-context": "NSF(3, 2, transforms=3, randperm=True, bins=8, hidden_features=[12, 12], activation=nn.ELU)",
    "nsf-one-feature": "NSF(1, 2, transforms=2, bins=5, hidden_features=[8], activation=nn.Tanh)",
    "nsf-coupling": (
        "NICE(4, transforms=3, randmask=True, univariate=MonotonicRQSTransform, shapes=[(8,), (8,), (7,)], "
        "hidden_features=[12], activation=nn.Softplus)"
    ),
    "nsf-coupling-context": (
        "NICE(3, 2, transforms=3, univariate=partial(MonotonicRQSTransform, bound=3.0), "
        "shapes=[(4,), (4,), (3,)], hidden_features=[12], activation=nn.Sigmoid)"
    ),
    "realnvp": "RealNVP(4, transforms=4, randmask=True, hidden_features=[12, 12], activation=nn.GELU)",
    "realnvp-context": "RealNVP(5, 2, transforms=4, hidden_features=[12, 12], activation=nn.ReLU)",
    "nice": (
        "NICE(4, transforms=4, univariate=AdditiveTransform, shapes=[()], "
        "hidden_features=[12, 12], activation=nn.LeakyReLU)"
    ),
    "nice-logistic": (
        "over_logistic(NICE(4, transforms=4, univariate=AdditiveTransform, shapes=[()], "
        "hidden_features=[12], activation=nn.ReLU))"
    ),
    "mixed": "mixed()",
}

# For each distribution: the Python expression, pushforward's description and parameters, and extreme values to evaluate.
DISTRIBUTIONS = {
    "diagonal-normal": (
        "Independent(Normal(tensor([0.5, -2.0, 3.0]), tensor([0.25, 1.5, 40.0])), 1)",
        {"type": "diagonalNormal", "features": 3},
        lambda: {"mean": [0.5, -2.0, 3.0], "logDeviation": [math.log(s) for s in (0.25, 1.5, 40.0)]},
        [1e3, -1e6],
    ),
    "student-t": (
        "Independent(StudentT(tensor([0.5, 3.0, 60.0]), tensor([0.5, -2.0, 3.0]), tensor([0.25, 1.5, 40.0])), 1)",
        {"type": "studentT", "features": 3},
        lambda: {
            "mean": [0.5, -2.0, 3.0],
            "logScale": [math.log(s) for s in (0.25, 1.5, 40.0)],
            "logDegreesOfFreedom": [math.log(df) for df in (0.5, 3.0, 60.0)],
        },
        [1e3, -1e6, 1e9, -1e30],
    ),
    "gaussian-mixture": (
        "gaussian_mixture(tensor([0.5, -0.75]), MEANS, FACTORS)",
        {"type": "gaussianMixture", "features": 3, "components": 2},
        lambda: {
            "logWeights": [0.5, -0.75],
            "means": MEANS.flatten().tolist(),
            "logDiagonal": FACTORS.diagonal(dim1=1, dim2=2).log().flatten().tolist(),
            # Elements on and above the diagonal are not used, so they are set to other numbers.
            "lower": (FACTORS + torch.ones(3, 3).triu()).flatten().tolist(),
        },
        [1e2, -1e4],
    ),
    "logistic": ("logistic(3)", {"type": "logistic", "features": 3}, dict, [1e2, -1e4]),
    "uniform": (
        "Independent(Uniform(tensor([-2.0] * 3), tensor([3.0] * 3), validate_args=False), 1, validate_args=False)",
        {"type": "uniform", "features": 3, "low": -2, "high": 3},
        dict,
        [1e2, -1e4],
    ),
}


# Translation of zuko's models to pushforward's descriptions and parameters.

ACTIVATIONS = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leakyRelu",
    nn.ELU: "elu",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Tanh: "tanh",
    nn.Softplus: "softplus",
    nn.Sigmoid: "sigmoid",
}


def translate(flow):
    """pushforward's description of a zuko flow, and its parameters by path."""
    bijections, parameters = [], {}
    for i, layer in enumerate(reversed(flow.transform.transforms)):
        bijection, arrays = translate_layer(layer)
        bijections.append(bijection)
        parameters |= {f"bijection.bijections.{i}.{path}": array for path, array in arrays.items()}
    context = context_size(flow)
    features = flow(torch.zeros(context) if context > 0 else None).event_shape[0]
    base = {"type": "logistic" if flow.base.f is logistic else "standardNormal", "features": features}
    if flow.base.f is DiagNormal and flow.base.args:
        mean, deviation = flow.base.args
        base = {"type": "diagonalNormal", "features": features}
        parameters |= {"base.mean": mean, "base.logDeviation": deviation.log()}
    return {"base": base, "bijection": {"type": "chain", "bijections": bijections}}, parameters


def translate_layer(layer):
    if isinstance(layer, LazyInverse):
        bijection, arrays = translate_layer(layer.transform)
        return {"type": "invert", "bijection": bijection}, {f"bijection.{k}": v for k, v in arrays.items()}
    if isinstance(layer, UnconditionalTransform):
        return translate_fixed(layer)
    context = context_size(layer)
    description = {"context": context, "transform": translate_univariate(layer)}
    if isinstance(layer, GeneralCouplingTransform):
        network, arrays = translate_mlp(layer.hyper, rows_of(layer, int((~layer.mask).sum())))
        return {"type": "coupling", "mask": layer.mask.tolist(), **description, "network": network}, arrays
    if isinstance(layer, ElementWiseTransform):
        # With one feature, zuko's network has no input for it; in pushforward's network this input is masked.
        network, arrays = translate_mlp(layer.hyper, rows_of(layer, 1))
        arrays["network.layers.0.weight"] = nn.functional.pad(arrays["network.layers.0.weight"], (0, 0, 1, 0), value=0.5)
        return {"type": "autoregressive", "order": [0], **description, "network": network}, in_blocks(arrays)
    assert isinstance(layer, MaskedAutoregressiveTransform)
    features = len(layer.order)
    network, arrays = translate_masked_mlp(layer.hyper, features, context, rows_of(layer, features))
    order = layer.order.argsort().tolist()
    return {"type": "autoregressive", "order": order, **description, "network": network}, in_blocks(arrays)


def context_size(module):
    if isinstance(module, Flow):
        return max(context_size(layer) for layer in module.transform.transforms)
    if isinstance(module, (LazyInverse, UnconditionalTransform)):
        return 0
    inputs = module.hyper[0].in_features
    if isinstance(module, GeneralCouplingTransform):
        return inputs - int(module.mask.sum())
    return inputs if isinstance(module, ElementWiseTransform) else inputs - len(module.order)


def translate_univariate(layer):
    """pushforward's description of a scalar transform."""
    make = layer.univariate
    options = make.keywords if isinstance(make, partial) else {}
    make = getattr(make, "func", make)
    if make is AdditiveTransform:
        return {"type": "additive"}
    if make is MonotonicAffineTransform:
        return {"type": "affine"}
    assert make is MonotonicRQSTransform and options.get("slope", 1e-3) == 1e-3
    bins = layer.shapes[0][0]
    return {"type": "rationalQuadraticSpline", "bins": bins, "bound": options.get("bound", 5.0)}


def rows_of(layer, features):
    """For each output of pushforward's network, the corresponding row of zuko's last weight."""
    rows = torch.arange(features * layer.total).reshape(features, layer.total)
    kinds = rows.split([math.prod(shape) for shape in layer.shapes], dim=1)
    return torch.cat([kind.flatten() for kind in kinds])


def translate_mlp(hyper, outputs):
    linears = [module for module in hyper if isinstance(module, Linear)]
    weights = [linear.weight for linear in linears]
    biases = [linear.bias for linear in linears]
    network = {
        "hidden": [linear.out_features for linear in linears[:-1]],
        "activation": ACTIVATIONS[type(hyper[1])],
    }
    return network, arrays_of([*weights[:-1], weights[-1][outputs]], [*biases[:-1], biases[-1][outputs]])


def arrays_of(weights, biases):
    arrays = {}
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        arrays |= {f"network.layers.{i}.weight": weight.T, f"network.layers.{i}.bias": bias}
    return arrays


def in_blocks(arrays):
    """Renames parameters for masked networks, which store the weights of a layer in blocks: a single block at these widths."""
    return {name.replace(".weight", ".blocks.0.weight").replace(".bias", ".blocks.0.bias"): a for name, a in arrays.items()}


def translate_masked_mlp(hyper, features, context, outputs):
    linears = [module for module in hyper.modules() if isinstance(module, MaskedLinear)]
    # Masked weights are not set to 0, to test that pushforward does not use them.
    weights = [linear.weight for linear in linears]
    biases = [linear.bias for linear in linears]
    degrees = degrees_of([linear.mask for linear in linears[:-1]], features)
    residual = isinstance(hyper[1], Residual)
    if residual and isinstance(hyper[1][0], MaskedLinear):
        weights, biases = split_signs(weights, biases, hyper[1][1])
        degrees = [torch.cat((d, d)) for d in degrees]
        activation = hyper[1][1]
    else:
        activation = hyper[1][0] if residual else hyper[1]

    # pushforward's hidden units are sorted by degree, with equal shares of each degree.
    lowest = 0 if context > 0 else 1
    orders = [torch.arange(weights[0].shape[1])]
    for d in degrees:
        assert d.sort().values.tolist() == sorted(lowest + unit % (features - lowest) for unit in range(len(d)))
        orders.append(d.argsort(stable=True))
    orders.append(outputs)
    weights = [w[after][:, before] for w, before, after in zip(weights, orders, orders[1:])]
    biases = [b[after] for b, after in zip(biases, orders[1:])]
    network = {
        "hidden": [len(d) for d in degrees][: -1 if residual else None],
        "activation": ACTIVATIONS[type(activation)],
        "residual": residual,
    }
    return network, arrays_of(weights, biases)


def degrees_of(masks, features):
    """The degree of each hidden unit: the number of features that it depends on."""
    degrees = [masks[0][:, :features].sum(dim=1)]
    for mask in masks[1:]:
        degrees.append((mask * degrees[-1]).amax(dim=1))
    return degrees


def split_signs(weights, biases, activation):
    """Represents zuko's v + W2 relu(W1 v) as u + W2 relu(W1 relu(u)), where u has v and -v, since relu(v) - relu(-v) = v.

    The inner units are duplicated, and each copy has half of the outgoing weight, so that no unit is unused.
    """
    assert isinstance(activation, nn.ReLU)
    (first, *inner, last), (first_bias, *inner_biases, last_bias) = weights, biases
    signs = tensor([1.0, -1.0])
    double = {
        0: (lambda w: torch.kron(tensor([[1.0, -1.0], [1.0, -1.0]]), w), lambda b: torch.cat((b, b))),
        1: (lambda w: torch.kron(tensor([[0.5, 0.5], [-0.5, -0.5]]), w), lambda b: torch.cat((b, -b))),
    }
    return (
        [
            torch.kron(signs[:, None], first),
            *(double[i % 2][0](w) for i, w in enumerate(inner)),
            torch.kron(signs[None], last),
        ],
        [
            torch.kron(signs, first_bias),
            *(double[i % 2][1](b) for i, b in enumerate(inner_biases)),
            last_bias,
        ],
    )


def translate_fixed(layer):
    if layer.f is standardize:
        shift, scale = layer.args
        return {"type": "standardize", "features": len(shift)}, {"center": shift, "scale": scale}
    if layer.f is actnorm:
        shift, log_scale = layer.args
        return {"type": "actnorm", "features": len(shift)}, {"shift": shift, "logScale": log_scale}
    if layer.f is PermutationTransform:
        # zuko: u_i = x_order[i]. pushforward: x_i = u_order[i].
        return {"type": "permutation", "order": layer.args[0].argsort().tolist()}, {}
    assert layer.f is LULinearTransform
    # zuko has column vectors, z = L U x with the diagonal in L; pushforward has row vectors, z = x L U with the diagonal in U.
    # pushforward uses only the elements below or above the diagonal of its arrays.
    (lu,) = layer.args
    features = len(lu)
    return {"type": "luLinear", "features": features}, {
        "lower": lu.T,
        "upper": lu.T,
        "logDiagonal": lu.diagonal().log(),
        "bias": torch.zeros(features),
    }


# Writing the files.


def points(features):
    """Twenty rows: 12 near 0, 4 extreme ones, 2 with a feature beyond the bound of the splines, the origin, a corner of the splines."""
    x = 1.5 * torch.randn(20, features)
    x[12:16] *= 4
    x[16, 0] = 5.5
    x[17, -1] = -7.25
    x[18] = 0
    x[19] = torch.where(torch.arange(features) % 2 == 0, 5.0, -5.0)
    return (x * 1e4).round() / 1e4


@torch.no_grad()
def flow_case(call, seed):
    torch.manual_seed(seed)
    flow = eval(call).eval()
    for parameter in flow.parameters():
        # Keeps weights away from 0, so that each one has an effect.
        parameter.copy_(((parameter + 0.1 * parameter.sign()) * 1e4).round() / 1e4)
    description, parameters = translate(flow)
    context = context_size(flow)
    x = points(description["base"]["features"])
    c = (1e4 * torch.randn(len(x), context)).round() / 1e4 if context > 0 else None
    distribution = flow(c)
    return {
        "call": call,
        "seed": seed,
        **VERSIONS,
        "flow": description,
        "parameters": {path: array.flatten().tolist() for path, array in parameters.items()},
        "x": x,
        **({} if c is None else {"context": c}),
        "logProb": distribution.log_prob(x),
        "z": distribution.transform(x),
    }


def distribution_case(call, base, parameters, far, seed):
    torch.manual_seed(seed)
    x = points(base["features"])
    x = torch.cat((x, tensor(far)[:, None] * torch.ones(base["features"])))
    identity = {"type": "permutation", "order": list(range(base["features"]))}
    return {
        "call": call,
        "seed": seed,
        **VERSIONS,
        "flow": {"base": base, "bijection": identity},
        "parameters": {f"base.{name}": values for name, values in parameters().items()},
        "x": x,
        "logProb": eval(call).log_prob(x),
        "z": x,
    }


def write(name, case):
    """JSON with one line for each key, parameter and row. Infinities are strings, since JSON has no number for them."""

    def plain(value):
        if isinstance(value, torch.Tensor):
            return plain(value.tolist())
        if isinstance(value, list):
            return [plain(v) for v in value]
        if isinstance(value, float):
            assert not math.isnan(value), f"{name} has a NaN"
            return str(value).replace("inf", "Infinity") if math.isinf(value) else value + 0.0
        return value

    def lines(key, value):
        if key == "parameters":
            rows = [f"{json.dumps(k)}: {json.dumps(plain(v), separators=(',', ':'))}" for k, v in value.items()]
            return "{" + ",".join(f"\n    {row}" for row in rows) + "\n  }"
        if isinstance(value, torch.Tensor):
            rows = [json.dumps(plain(row), separators=(",", ":")) for row in value]
            return "[" + ",".join(f"\n    {row}" for row in rows) + "\n  ]"
        return json.dumps(value)

    body = ",\n".join(f"  {json.dumps(k)}: {lines(k, v)}" for k, v in case.items())
    (HERE / f"{name}.json").write_text("{\n" + body + "\n}\n")


if __name__ == "__main__":
    for seed, (name, call) in enumerate(FLOWS.items()):
        write(name, flow_case(call, seed))
    for seed, (name, (call, *ours)) in enumerate(DISTRIBUTIONS.items(), start=len(FLOWS)):
        write(name, distribution_case(call, *ours, seed))
