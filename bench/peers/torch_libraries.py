"""The flows of bench/cases.json in zuko, nflows and normflows. README.md says what differs."""

import sys


class Library:
    # The documentation of all three libraries uses this optimizer.
    def optimizer(self, parameters):
        import torch

        return torch.optim.Adam(parameters, 1e-3)


class Zuko(Library):
    def __init__(self):
        import zuko

        self.recipes = {"maf": zuko.flows.MAF, "nsf": zuko.flows.NSF, "realnvp": zuko.flows.RealNVP}
        self.versions = {"zuko": zuko.__version__}

    def build(self, case):
        if case["flow"] == "cnf":
            return self.continuous(case)
        recipe = self.recipes[case["flow"]]
        return recipe(case["dim"], 0, transforms=case["transforms"], hidden_features=case["hidden"])

    # The number of the solver's steps depends on the field, which must therefore be similar to pushforward's.
    def continuous(self, case):
        import torch
        import zuko

        flow = zuko.flows.CNF(case["dim"], hidden_features=case["hidden"], activation=torch.nn.SiLU, rtol=1e-6)
        for parameter in flow.transform.ode[-1].parameters():
            torch.nn.init.normal_(parameter, std=0.02)
        return flow

    def log_prob(self, flow, x):
        return flow().log_prob(x)

    def sample(self, flow, rows):
        return flow().sample((rows,))


class NFlows(Library):
    def __init__(self):
        stub_umnn()
        from nflows import version

        self.versions = {"nflows": version.VERSION}

    def build(self, case):
        from nflows import distributions, flows, transforms

        recipes = {"maf": self.affine, "nsf": self.spline, "realnvp": self.coupling, "glow": self.glow}
        layer = recipes[case["flow"]]
        layers = []
        for i in range(case["transforms"]):
            layers.append(layer(transforms, case, i))
            if case["flow"] in ("maf", "nsf"):
                layers.append(transforms.ReversePermutation(case["dim"]))
        base = distributions.StandardNormal([case["dim"]])
        return flows.Flow(transforms.CompositeTransform(layers), base)

    def affine(self, transforms, case, _):
        return transforms.MaskedAffineAutoregressiveTransform(case["dim"], **made(case))

    def spline(self, transforms, case, _):
        return transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
            case["dim"], num_bins=8, tails="linear", tail_bound=5.0, **made(case)
        )

    def coupling(self, transforms, case, i):
        from nflows.nn.nets import MLP

        class Conditioner(MLP):
            def forward(self, inputs, context=None):
                return super().forward(inputs)

        mask = [1 if feature % 2 == i % 2 else -1 for feature in range(case["dim"])]
        return transforms.AffineCouplingTransform(mask, lambda n, m: Conditioner([n], [m], case["hidden"]))

    def glow(self, transforms, case, i):
        mixing = [transforms.ActNorm(case["dim"]), transforms.LULinear(case["dim"])]
        return transforms.CompositeTransform([*mixing, self.coupling(transforms, case, i)])

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, rows):
        return flow.sample(rows)


class NormFlows(Library):
    def __init__(self):
        import normflows

        self.versions = {"normflows": normflows.__version__}

    def build(self, case):
        import normflows

        recipes = {"maf": self.affine, "nsf": self.spline, "realnvp": self.coupling}
        recipes |= {"glow": self.glow, "planar": self.planar}
        layer = recipes[case["flow"]]
        layers = []
        for _ in range(case["transforms"]):
            layers += layer(normflows, case)
            if case["flow"] not in ("glow", "planar"):
                layers.append(normflows.flows.Permute(case["dim"], mode="swap"))
        base = normflows.distributions.DiagGaussian(case["dim"], trainable=False)
        return normflows.NormalizingFlow(base, layers)

    # Inverted, so that the density takes one pass, as in MAF.
    def affine(self, normflows, case):
        flow = normflows.flows.MaskedAffineAutoregressive(case["dim"], **made(case))
        return [normflows.flows.Reverse(flow)]

    def spline(self, normflows, case):
        from normflows.flows.neural_spline.autoregressive import MaskedPiecewiseRationalQuadraticAutoregressive

        flow = MaskedPiecewiseRationalQuadraticAutoregressive(
            case["dim"], num_bins=8, tails="linear", tail_bound=5.0, init_identity=False, **made(case)
        )
        return [normflows.flows.Reverse(flow)]

    def coupling(self, normflows, case):
        changed = case["dim"] // 2
        network = normflows.nets.MLP([case["dim"] - changed, *case["hidden"], 2 * changed])
        return [normflows.flows.AffineCouplingBlock(network)]

    def glow(self, normflows, case):
        mixing = [normflows.flows.InvertibleAffine(case["dim"]), normflows.flows.ActNorm((case["dim"],))]
        return self.coupling(normflows, case) + mixing

    # Inverted too, so that the density is in closed form, with a tanh, as pushforward's.
    def planar(self, normflows, case):
        return [normflows.flows.Reverse(normflows.flows.Planar((case["dim"],)))]

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, rows):
        return flow.sample(rows)[0]


def made(case):
    """The options of a masked network without residual blocks, which are the same in nflows and normflows."""
    hidden = case["hidden"]
    if len(set(hidden)) > 1:
        raise KeyError("hidden layers of several widths")
    return {"hidden_features": hidden[0], "num_blocks": len(hidden) - 1, "use_residual_blocks": False}


def stub_umnn():
    """nflows imports a package for one transform that no case uses. If it is not installed, an empty module replaces it."""
    try:
        import UMNN  # noqa: F401
    except ModuleNotFoundError:
        stub = type(sys)("UMNN")
        stub.NeuralIntegral = stub.ParallelNeuralIntegral = None
        sys.modules["UMNN"] = stub
