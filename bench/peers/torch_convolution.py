"""The convolutions of bench/convolution.ts in PyTorch: a 3 x 3 convolution with both gradients, channels last, on two threads.

usage: python3 torch_convolution.py
"""

import statistics
import time

import torch

WARM_UP = 20
REPEATS = 60

torch.set_num_threads(2)
for images, side, channels in [(32, 28, 32), (64, 14, 64), (64, 7, 128)]:
    x = torch.randn(images, channels, side, side).to(memory_format=torch.channels_last).requires_grad_()
    convolution = torch.nn.Conv2d(channels, channels, 3, padding=1).to(memory_format=torch.channels_last)
    gradient = torch.randn(images, channels, side, side).to(memory_format=torch.channels_last)
    times = []
    for _ in range(WARM_UP + REPEATS):
        x.grad = None
        convolution.zero_grad()
        start = time.perf_counter()
        convolution(x).backward(gradient)
        times.append(1000 * (time.perf_counter() - start))
    median = statistics.median(times[WARM_UP:])
    print(f"{images} images of {side} x {side} with {channels} channels: {median:.2f} ms")
