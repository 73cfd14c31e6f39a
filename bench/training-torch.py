"""Seconds of an epoch of the primer's models in PyTorch on one thread, as JSON, for bench/training.ts --torch.

Steps are run on random data of the right shape; an epoch is the median step times the number of steps.
Usage: python3 bench/training-torch.py > times.json
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.manual_seed(0)


class Block(nn.Module):
    """A pre-norm transformer layer with four heads."""

    def __init__(self, width=128, heads=4):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, t, d = x.shape
        y = self.norm1(x)
        q, k, v = (f(y).view(n, t, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        scores = q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5
        hidden = torch.ones(t, t, dtype=torch.bool).triu(1)
        y = (scores.masked_fill(hidden, -1e9).softmax(-1) @ v).transpose(1, 2).reshape(n, t, d)
        x = x + F.dropout(self.out(y), 0.1)
        return x + F.dropout(self.down(F.gelu(self.up(self.norm2(x)))), 0.1)


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(65, 128)
        self.position = nn.Parameter(0.02 * torch.randn(64, 128))
        self.blocks = nn.Sequential(*(Block() for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 65)

    def forward(self, text):
        return self.head(self.norm(self.blocks(self.embedding(text) + self.position)))


class Recurrent(nn.Module):
    def __init__(self, layer, head, last):
        super().__init__()
        self.layer, self.head, self.last = layer, head, last

    def forward(self, x):
        y, _ = self.layer(x)
        return self.head(y[:, -1] if self.last else y)


def text_loss(logits, target):
    return F.cross_entropy(logits.reshape(-1, 65), target.reshape(-1))


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def letters(batch):
    return torch.randint(65, (batch, 64))


def labels(batch, classes):
    return torch.randint(classes, (batch,))


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.code, self.decoder = nn.Linear(784, 256), nn.Linear(256, 32), mlp(16, 256, 784)

    def forward(self, x):
        mu, log_var = self.code(F.relu(self.hidden(x))).chunk(2, -1)
        logits = self.decoder(mu + torch.exp(0.5 * log_var) * torch.randn_like(mu))
        divergence = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(-1).mean()
        return 784 * F.binary_cross_entropy_with_logits(logits, x) + divergence


def semi(model):
    def loss(x, target):
        logits = model(x)
        noisy = model(x + 0.3 * torch.randn_like(x))
        return F.cross_entropy(logits, target) + 50 * F.mse_loss(noisy.softmax(-1), logits.softmax(-1).detach())

    return loss


def cases():
    cnn = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    adam = lambda model, lr=1e-3: torch.optim.Adam(model.parameters(), lr)
    yield "mnist_cnn", 1875, 40, cnn, adam(cnn), lambda: F.cross_entropy(cnn(torch.rand(32, 1, 28, 28)), labels(32, 10)), None
    auto = nn.Sequential(mlp(784, 128, 32), mlp(32, 128, 784))
    image = torch.rand(128, 784)
    rms = torch.optim.RMSprop(auto.parameters(), 1e-3)
    yield "autoencoder", 446, 60, auto, rms, lambda: F.binary_cross_entropy_with_logits(auto(image), image), None
    vae = Vae()
    yield "vae", 446, 60, vae, adam(vae), lambda: vae(image), None
    digits = mlp(784, 256, 10)
    both = semi(digits)
    yield "semi_supervised", 469, 60, digits, adam(digits), lambda: both(image, labels(128, 10)), None
    lstm = nn.Sequential(nn.Embedding(65, 32), Recurrent(nn.LSTM(32, 128, 2, batch_first=True), nn.Linear(128, 65), False))
    yield "char_lstm", 518, 20, lstm, adam(lstm, 2e-3), lambda: text_loss(lstm(letters(32)), letters(32)), 1.0
    gpt = Gpt()
    adamw = torch.optim.AdamW(gpt.parameters(), 1e-3, weight_decay=0.1)
    yield "tiny_gpt", 1035, 20, gpt, adamw, lambda: text_loss(gpt(letters(16)), letters(16)), 1.0
    gru = Recurrent(nn.GRU(1, 16, batch_first=True), nn.Linear(16, 1), True)
    yield "temperature_gru", 91, 60, gru, adam(gru, 1e-2), lambda: F.huber_loss(gru(torch.rand(32, 28, 1)), torch.rand(32, 1)), None
    linear = nn.Linear(10, 1)
    sgd = torch.optim.SGD(linear.parameters(), 0.05, momentum=0.9)
    yield "diabetes", 12, 100, linear, sgd, lambda: F.mse_loss(linear(torch.rand(32, 10)), torch.rand(32, 1)), None
    iris = mlp(4, 16, 3)
    decayed = torch.optim.AdamW(iris.parameters(), 0.01, weight_decay=1e-4)
    yield "iris", 8, 100, iris, decayed, lambda: F.cross_entropy(F.dropout(iris(torch.rand(16, 4)), 0.1), labels(16, 3)), None
    xor = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    points = torch.rand(4, 2)
    yield "xor", 1, 200, xor, adam(xor, 0.05), lambda: F.binary_cross_entropy_with_logits(xor(points), torch.ones(4, 1)), None


times = {}
for name, steps, rounds, model, optimizer, loss_of, limit in cases():
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        optimizer.zero_grad()
        loss_of().backward()
        if limit is not None:
            nn.utils.clip_grad_norm_(model.parameters(), limit)
        optimizer.step()
        seconds.append(time.perf_counter() - began)
    times[name] = sorted(seconds)[len(seconds) // 2] * steps
    print(name, times[name], file=sys.stderr)
json.dump(times, sys.stdout, indent=2)
