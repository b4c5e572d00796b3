"""The flows of bench/cases.json in zuko, nflows and normflows. README.md says what differs."""

import sys


class Zuko:
    def __init__(self):
        import zuko

        self.recipes = {"maf": zuko.flows.MAF, "nsf": zuko.flows.NSF, "realnvp": zuko.flows.RealNVP}
        self.versions = {"zuko": zuko.__version__}

    def build(self, case):
        recipe = self.recipes[case["flow"]]
        return recipe(case["dim"], 0, transforms=case["transforms"], hidden_features=case["hidden"])

    def log_prob(self, flow, x):
        return flow().log_prob(x)

    def sample(self, flow, rows):
        return flow().sample((rows,))


class NFlows:
    def __init__(self):
        stub_umnn()
        from nflows import version

        self.versions = {"nflows": version.VERSION}

    def build(self, case):
        from nflows import distributions, flows, transforms

        layer = {"maf": self.affine, "nsf": self.spline, "realnvp": self.coupling}[case["flow"]]
        layers = []
        for i in range(case["transforms"]):
            layers.append(layer(transforms, case, i))
            if case["flow"] != "realnvp":
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

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, rows):
        return flow.sample(rows)


class NormFlows:
    def __init__(self):
        import normflows

        self.versions = {"normflows": normflows.__version__}

    def build(self, case):
        import normflows

        layer = {"maf": self.affine, "nsf": self.spline, "realnvp": self.coupling}[case["flow"]]
        layers = []
        for _ in range(case["transforms"]):
            layers.append(layer(normflows, case))
            layers.append(normflows.flows.Permute(case["dim"], mode="swap"))
        base = normflows.distributions.DiagGaussian(case["dim"], trainable=False)
        return normflows.NormalizingFlow(base, layers)

    # Reversed, so that the density takes one pass, as in MAF.
    def affine(self, normflows, case):
        flow = normflows.flows.MaskedAffineAutoregressive(case["dim"], **made(case))
        return normflows.flows.Reverse(flow)

    def spline(self, normflows, case):
        from normflows.flows.neural_spline.autoregressive import MaskedPiecewiseRationalQuadraticAutoregressive

        flow = MaskedPiecewiseRationalQuadraticAutoregressive(
            case["dim"], num_bins=8, tails="linear", tail_bound=5.0, init_identity=False, **made(case)
        )
        return normflows.flows.Reverse(flow)

    def coupling(self, normflows, case):
        changed = case["dim"] // 2
        network = normflows.nets.MLP([case["dim"] - changed, *case["hidden"], 2 * changed])
        return normflows.flows.AffineCouplingBlock(network)

    def log_prob(self, flow, x):
        return flow.log_prob(x)

    def sample(self, flow, rows):
        return flow.sample(rows)[0]


def made(case):
    """A masked network without residual blocks, in the terms that nflows and normflows share."""
    hidden = case["hidden"]
    if len(set(hidden)) > 1:
        raise KeyError("hidden layers of several widths")
    return {"hidden_features": hidden[0], "num_blocks": len(hidden) - 1, "use_residual_blocks": False}


def stub_umnn():
    """nflows imports a package for one transform that no case has; without it an empty one stands in."""
    try:
        import UMNN  # noqa: F401
    except ModuleNotFoundError:
        stub = type(sys)("UMNN")
        stub.NeuralIntegral = stub.ParallelNeuralIntegral = None
        sys.modules["UMNN"] = stub
