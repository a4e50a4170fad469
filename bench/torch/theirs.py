"""PyTorch's side of `scripts/bench --torch`: the jobs of ours.cpp, with the same arguments and lines.

Written for speed in eager mode: the target's spectra are computed once, samples are innermost, and of several ways to
write a spectrum and the sines the fastest was taken. Only the patch is a loop a sample, as feedback forces it to be.
"""
import math
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

FRAMES, HOP, RATE = 64000, 64, 16000
SIZES = (2048, 1024, 512, 256, 128, 64)


def memory(key):
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith(key))


def load(name, *shape):
    """Files hold [tick][clip][..]; torch wants the clips outside."""
    x = torch.from_numpy(np.fromfile(f"{folder}/{name}", "<f4")).reshape(-1, *shape)
    return x.transpose(0, 1).contiguous()


def to_samples(x):
    """[batch, ticks, channels] to [batch, channels, samples]: a line between ticks, at each value a hop late."""
    x = torch.cat([x[:, :1], x], 1).transpose(1, 2)
    return F.interpolate(x, size=(x.shape[2] - 1) * HOP + 1, mode="linear", align_corners=True)[..., :-1]


def phase(f0):
    """Radians of each sample, from 0; summed in float64, since float32 is audibly off after seconds."""
    step = f0.double() / RATE
    return (2 * math.pi * ((torch.cumsum(step, -1) - step) % 1)).float()


def sines(f0, amplitudes):
    k = torch.arange(1, amplitudes.shape[-1] + 1)[:, None]
    return (torch.sin(phase(to_samples(f0[..., None])) * k) * to_samples(amplitudes)).sum(1)


def magnitudes(x, size, hop):
    """Windows end at the samples 0, hop, .. Faster than torch.stft, which computes the same."""
    return torch.fft.rfft(F.pad(x, (size - 1, 0)).unfold(-1, size, hop) * WINDOWS[size]).abs()


def spectral_loss(x, target):
    loss = 0
    for size, (linear, log) in target.items():
        y = magnitudes(x, size, size // 4)
        loss = loss + (y - linear).abs().mean() + (torch.log(y + 1e-3) - log).abs().mean()
    return loss


def target_of(sound):
    spectra = {size: magnitudes(sound, size, size // 4) for size in SIZES}
    return {size: (y, torch.log(y + 1e-3)) for size, y in spectra.items()}


def descend(optimizer, loss, before_update=lambda: None):
    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        before_update()
        optimizer.step()
        return value.item()
    return step


def exp_sigmoid(x):
    return 2 * torch.sigmoid(x) ** math.log(10) + 1e-7


@torch.no_grad()
def take(param, name):
    """The values that ours begins with; its matrices are [in][out], ours transposed."""
    values = torch.from_numpy(np.fromfile(f"{folder}/{name}", "<f4"))
    param.copy_(values.reshape(param.shape[::-1]).T if param.dim() == 2 else values)


class Stack(torch.nn.Module):
    """Dense layers with normalisation."""

    def __init__(self, name, width, hidden, layers):
        super().__init__()
        self.name, widths = name, [width] + [hidden] * layers
        self.layers = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:]))
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(hidden) for _ in range(layers))

    def forward(self, z):
        for layer, norm in zip(self.layers, self.norms):
            z = F.leaky_relu(norm(layer(z)))
        return z

    def take_weights(self):
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms)):
            parts = {"weight": layer.weight, "bias": layer.bias, "gain": norm.weight, "shift": norm.bias}
            for part, param in parts.items():
                take(param, f"{self.name}.{i}.{part}")


class Gru(torch.nn.GRU):
    def take_weights(self):
        parts = {"input": self.weight_ih_l0, "hidden": self.weight_hh_l0, "bias": self.bias_ih_l0, "hidden_bias": self.bias_hh_l0}
        for part, param in parts.items():
            take(param, f"gru.{part}")


class Decoder(torch.nn.Module):
    """That of apps/ddsp: pitch and loudness through dense layers, or the paper's, to 60 harmonics and 65 noise bands."""

    def __init__(self, hidden=128, layers=2, gru=0, harmonics=60, bands=65):
        super().__init__()
        self.gru = Gru(2 * hidden, gru, batch_first=True) if gru else None
        self.f0, self.loudness = (Stack(name, 1, hidden, layers) if gru else None for name in ("f0", "loudness"))
        self.trunk = Stack("trunk", 2 * hidden + gru if gru else 2, hidden, layers)
        self.amplitudes = torch.nn.Linear(hidden, harmonics + 1)
        self.noise = torch.nn.Linear(hidden, bands)

    def forward(self, f0, loudness):
        z = torch.stack([torch.log2(f0 / 440) * 0.5, (loudness + 80) * (2 / 80) - 1], -1)
        if self.gru is not None:
            both = torch.cat([self.f0(z[..., :1]), self.loudness(z[..., 1:])], -1)
            z = torch.cat([both, self.gru(both)[0]], -1)
        z = self.trunk(z)
        return self.harmonic(z, f0) + self.filtered_noise(z)

    def harmonic(self, z, f0):
        controls = exp_sigmoid(self.amplitudes(z))
        k = torch.arange(1, controls.shape[-1])
        shares = controls[..., 1:] * (f0[..., None] * k < RATE / 2)
        return sines(f0, shares / (shares.sum(-1, keepdim=True) + 1e-7) * controls[..., :1])

    def filtered_noise(self, z):
        impulse = torch.fft.irfft(exp_sigmoid(self.noise(z) - 5))
        taps = impulse.shape[-1]
        impulse = torch.roll(impulse, taps // 2, -1) * WINDOWS[taps]
        size = 256  # at least a hop and the filter's tail
        white = torch.rand(*z.shape[:2], HOP) * 2 - 1
        blocks = torch.fft.irfft(torch.fft.rfft(white, size) * torch.fft.rfft(impulse, size), size)
        length = (z.shape[1] - 1) * HOP + size
        return F.fold(blocks.transpose(1, 2), (1, length), (1, size), stride=(1, HOP)).reshape(len(z), -1)[:, :FRAMES]

    def take_weights(self):
        for part in (self.f0, self.loudness, self.gru, self.trunk):
            if part is not None:
                part.take_weights()
        for name, layer in ("amplitudes", self.amplitudes), ("noise", self.noise):
            take(layer.weight, name + ".weight")
            take(layer.bias, name + ".bias")


def training(batch, **sizes):
    f0, loudness, target = load("f0", batch), load("loudness", batch), target_of(load("sound", batch))
    model = Decoder(**sizes)
    model.take_weights()
    params = list(model.parameters())
    return descend(torch.optim.Adam(params, 1e-3), lambda: spectral_loss(model(f0, loudness), target),
                   lambda: torch.nn.utils.clip_grad_norm_(params, 3))


def paper(batch):
    return training(batch, hidden=512, layers=3, gru=512)


def recurrent(batch):
    features, gru = load("features", batch, 512), Gru(512, 512, batch_first=True)
    gru.take_weights()
    return descend(torch.optim.SGD(gru.parameters(), 0.1), lambda: gru(features)[0].square().mean())


def loss_of_clips(batch):
    noise, target = load("noise", batch), target_of(load("sound", batch))
    gain = torch.full((batch, 1), 0.5, requires_grad=True)
    return descend(torch.optim.SGD([gain], 1e-4), lambda: spectral_loss(gain * noise, target))


def bank(batch):
    f0, amplitudes = load("f0", batch), load("amplitudes", batch, 60)
    gain, tuning = torch.ones(60, requires_grad=True), torch.ones(batch, 1, requires_grad=True)
    optimizer = torch.optim.SGD([{"params": [gain]}, {"params": [tuning], "lr": 1e-20}], 0.01)
    return descend(optimizer, lambda: sines(tuning * f0, gain * amplitudes).square().mean())


@torch.no_grad()
def patch_step():
    freq, coefficient = torch.tensor(440.0), torch.tensor(0.9)
    turn, y, sound = torch.zeros(()), torch.zeros(()), []
    for _ in range(4096):
        sine = torch.sin(2 * math.pi * turn)
        y = sine + coefficient * (y - sine)
        sound.append(y)
        turn = (turn + freq / RATE) % 1
    return magnitudes(0.5 * torch.stack(sound)[None], 1024, 256).mean().item()


def serve(step, at_start):
    print("ready", flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            value = step()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(wall, processor, value, memory("VmHWM:") - at_start, flush=True)


if __name__ == "__main__":
    job, folder, clips, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    torch.set_flush_denormal(True)  # as ours does
    start = memory("VmHWM:")
    WINDOWS = {size: torch.hann_window(size) for size in SIZES}
    jobs = {"training": training, "paper": paper, "recurrent": recurrent, "loss": loss_of_clips, "bank": bank,
            "patch": lambda batch: patch_step}
    serve(jobs[job](int(clips)), start)
