"""What a teacher says: of a student's very picture, or once for all of fixed views of every photograph."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from tqdm import tqdm

from ml.data.augment import shrink
from ml.errors import InputError
from ml.networks.architectures import features_and_head, pooled
from ml.training.batches import normalize, to_tensor
from ml.training.checkpoints import load_trained, read_state, save_atomically
from ml.training.losses import attention

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

BATCH = 32
LOGITS, FEATURES = "logits.npy", "features.npy"
WORDS_FORMAT = 1
"""Of the files of ``Remembering``: to be raised with any change to what is kept there or how a teacher is asked."""


class TeacherOutput(NamedTuple):
    """Logits [B, K], pooled features [B, C] and, of a picture just seen, its attention map [B, 1, h, w]."""

    logits: "Tensor"
    features: "Tensor"
    attention: "Tensor | None" = None


class Teacher:
    """A trained network that is asked and never changed."""

    def __init__(self, network: nn.Module, side_px: int, device: torch.device | None = None) -> None:
        self.side_px = side_px
        self.device = device or torch.device("cpu")
        self.network = _folded(network.eval().requires_grad_(requires_grad=False))
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.features, self.head = features_and_head(self.network)

    @classmethod
    def load(cls, folder: Path, device: torch.device | None = None) -> "Teacher":
        """From a finished run or a bundle. Raises InputError or BundleError for any other folder."""
        network, side_px = load_trained(folder)
        return cls(network, side_px, device)

    @property
    def n_features(self) -> int:
        """C of its pooled features."""
        blank = torch.zeros(1, 3, self.side_px, self.side_px, device=self.device)
        return int(self.ask(blank).features.shape[1])

    @torch.no_grad()
    def ask(self, pictures: "Tensor", *, use_bf16: bool = False) -> TeacherOutput:
        """Of [B, 3, S, S] in [0, 1] at any side, which is brought to the teacher's own."""
        x = pictures.to(self.device)
        if x.shape[-1] != self.side_px:
            size = (self.side_px, self.side_px)
            x = functional.interpolate(x, size=size, mode="bilinear", antialias=True)  # [B, 3, S, S]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=use_bf16):
            maps = self.features(normalize(x))  # [B, C, h, w]
            z = pooled(maps)  # [B, C]
            logits = self.head(z)  # [B, K]
        return TeacherOutput(logits.float(), z.float(), attention(maps.float()))

    def fingerprint(self) -> str:
        """Sixteen letters that another set of weights or another side would change."""
        digest = hashlib.sha256(str(self.side_px).encode())
        for name, value in self.network.state_dict().items():
            digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def _folded(network: nn.Module) -> nn.Module:
    """The same function in fewer steps, in place: each batch norm becomes part of the convolution before it."""
    before: nn.Conv2d | None = None
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            before = module
        elif isinstance(module, nn.BatchNorm2d) and before is not None:
            parent, _, child = name.rpartition(".")
            folded = fuse_conv_bn_eval(before, module)
            before.weight, before.bias = folded.weight, folded.bias
            network.get_submodule(parent).register_module(child, nn.Identity())
            before = None
    return network


class Ensemble(Teacher):
    """Several teachers with one voice: the mean of their logits. Features and maps are those of the first."""

    def __init__(self, teachers: list[Teacher]) -> None:
        self.teachers = teachers
        self.side_px, self.device = max(teacher.side_px for teacher in teachers), teachers[0].device

    def ask(self, pictures: "Tensor", *, use_bf16: bool = False) -> TeacherOutput:
        """Of [B, 3, S, S] in [0, 1] at any side, which is brought to each teacher's own."""
        words = [teacher.ask(pictures, use_bf16=use_bf16) for teacher in self.teachers]
        return words[0]._replace(logits=torch.stack([word.logits for word in words]).mean(0))

    def fingerprint(self) -> str:
        """Sixteen letters that any other set of teachers would change."""
        return hashlib.sha256(" ".join(teacher.fingerprint() for teacher in self.teachers).encode()).hexdigest()[:16]


class Remembering(Teacher):
    """A teacher that writes down every word, and reads it where it is shown the very same pictures again.

    So runs that differ only in how they listen, or in what they make of it, ask once: the pictures of a step depend on
    the seed, and on no setting of the loss. Some 200 kB a step of 40 pictures, which nothing deletes.
    """

    def __init__(self, teacher: Teacher, cache: Path) -> None:
        self.teacher, self.side_px, self.device = teacher, teacher.side_px, teacher.device
        self.folder = cache / f"words-{teacher.fingerprint()}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def ask(self, pictures: "Tensor", *, use_bf16: bool = False) -> TeacherOutput:
        """Of [B, 3, S, S] in [0, 1]. A damaged file raises what reading it raises; between runs all may be deleted."""
        asked = f"{WORDS_FORMAT} {tuple(pictures.shape)} {use_bf16} {self.device.type}"
        digest = hashlib.blake2b(asked.encode(), digest_size=16)
        digest.update(pictures.cpu().contiguous().numpy().tobytes())
        path = self.folder / f"{digest.hexdigest()}.pt"
        if not path.is_file():
            word = self.teacher.ask(pictures, use_bf16=use_bf16)
            save_atomically(word._replace(features=word.features.half())._asdict(), path)
        word = TeacherOutput(**read_state(path))  # also what was just written: half precision is the same for every run
        shown = None if word.attention is None else word.attention.to(self.device)
        return TeacherOutput(word.logits.to(self.device), word.features.float().to(self.device), shown)

    def fingerprint(self) -> str:
        """That of the teacher who speaks."""
        return self.teacher.fingerprint()


def load_teacher(folders: list[Path], device: torch.device | None = None) -> Teacher:
    """The teacher in one folder, or those of several folders as one. Raises InputError or BundleError as they do."""
    teachers = [Teacher.load(folder, device) for folder in folders]
    return teachers[0] if len(teachers) == 1 else Ensemble(teachers)


class CachedTeacher:
    """A teacher's logits and pooled features of every photograph, averaged over fixed views, kept on disk.

    The mean of the logits over the views stands for the geometric mean of the chances, at any temperature.
    """

    def __init__(self, logits: "NDArray[np.floating]", features: "NDArray[np.floating]") -> None:
        self.logits, self.features = logits, features

    def look_up(self, rows: "NDArray[np.int64]") -> TeacherOutput:
        """What was said of the photographs in these rows. Raises KeyError for one that was never asked about."""
        logits = torch.from_numpy(self.logits[rows])
        if torch.isnan(logits).any():
            raise KeyError("The teacher was never asked about one of these photographs.")
        return TeacherOutput(logits, torch.from_numpy(self.features[rows].astype(np.float32)))


def ask_once(
    teacher: Teacher,
    pixels: "NDArray[np.uint8]",
    rows: "NDArray[np.int64]",
    *,
    n_views: int,
    cache: Path,
    use_bf16: bool = False,
) -> CachedTeacher:
    """Ask about ``rows`` of ``pixels`` (n, H, W, 3), all views each; an interrupted round goes on where it stopped.

    The folder below ``cache`` is named by teacher, views and photographs.
    Raises InputError unless 1 <= n_views <= 8.
    """
    if not 1 <= n_views <= 8:
        raise InputError(f"A square has 8 views without distortion; {n_views} were asked for.")
    sample = np.ascontiguousarray(pixels[:: max(1, len(pixels) // 64)])
    photographs = hashlib.sha256(f"{pixels.shape} {n_views}".encode() + sample.tobytes()).hexdigest()[:16]
    folder = cache / f"teacher-{teacher.fingerprint()}-{photographs}"
    folder.mkdir(parents=True, exist_ok=True)
    logits = _table(folder / LOGITS, (len(pixels), 5), np.float32)
    features = _table(folder / FEATURES, (len(pixels), teacher.n_features), np.float16)
    missing = rows[np.isnan(logits[rows, 0])]
    for start in tqdm(range(0, len(missing), BATCH), desc="ask the teacher", unit="batch", mininterval=5):
        some = missing[start : start + BATCH]
        photos = shrink(to_tensor(pixels[some]), side_px=teacher.side_px)  # [B, 3, S, S]
        words = [teacher.ask(view(photos, number), use_bf16=use_bf16) for number in range(n_views)]
        features[some] = torch.stack([word.features for word in words]).mean(0).cpu().numpy()
        features.flush()
        logits[some] = torch.stack([word.logits for word in words]).mean(0).cpu().numpy()  # last: it says "done"
        logits.flush()
    return CachedTeacher(logits, features)


def view(photos: "Tensor", number: int) -> "Tensor":
    """[B, 3, S, S] -> the same, mirrored for odd numbers and turned by number // 2 quarters."""
    mirrored = photos.flip(3) if number % 2 else photos
    return torch.rot90(mirrored, number // 2, dims=(2, 3)).contiguous()


def _table(
    path: Path, shape: tuple[int, int], kind: type[np.floating]
) -> "np.memmap[tuple[int, ...], np.dtype[np.floating]]":
    """The memory-mapped table in the file, which is made full of NaN where it is missing."""
    if not path.exists():
        partial = path.with_suffix(".partial.npy")
        np.save(partial, np.full(shape, np.nan, kind))
        partial.replace(path)
    table: np.memmap[tuple[int, ...], np.dtype[np.floating]] = np.load(path, mmap_mode="r+")
    return table
