"""Train a student with a teacher: ``python -m ml distill --teacher RUN_OR_BUNDLE --run runs/x``.

The run is one like any other (ml/train.py); its configuration also says how the teacher was listened to.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from ml.data.unlabelled import unlabelled_retinas
from ml.errors import InputError
from ml.networks.architectures import features_and_head, pooled
from ml.training.batches import Shard, changed, normalize, to_tensor
from ml.training.config import Distillation, TrainingConfig
from ml.training.distributed import DistributedContext
from ml.training.losses import attention, attention_loss, decoupled_loss, kd_loss, pooled_loss
from ml.training.teacher import CachedTeacher, Remembering, Teacher, TeacherOutput, ask_once, load_teacher
from ml.training.train import train
from ml.training.trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ml.data.cache import FundusDataset

KINDS = ("soft", "decoupled")
FEATURES = ("none", "pooled", "attention")
VIEWS = ("same", "cached")


def distill(
    config: TrainingConfig, *, data: Path, imagenet: Path | str | None, run: Path, resume: bool = False
) -> Path:
    """Train the student of ``config.distillation`` to the end and return the file with its best averaged weights.

    Raises InputError for settings that do not go together, before anything is read.
    """
    how = _checked(config)
    folders = [Path(folder) for folder in (how.teacher, *how.further_teachers)]
    load_teacher(folders)  # fails at once, and not after minutes of cropping photographs

    def begin(
        config: TrainingConfig, retinas: "FundusDataset", network: nn.Module, *, processes: DistributedContext
    ) -> "DistillationTrainer":
        cache = run.parent / "cache"
        pixels = retinas.pixels[:0]
        if how.unlabelled:
            pixels = unlabelled_retinas(
                [data / name for name in how.unlabelled],
                graded=[data / source for source in config.sources],
                retinas=retinas,
                side_px=config.cache_side_px,
                cache=cache,
            )
        teacher = load_teacher(folders, processes.device)
        if how.keep_words:
            teacher = Remembering(teacher, cache)
        return DistillationTrainer(
            config, retinas, network, processes=processes, teacher=teacher, unlabelled=pixels, cache=cache
        )

    return train(config, data=data, imagenet=imagenet, run=run, resume=resume, begin=begin)


def _checked(config: TrainingConfig) -> Distillation:
    how = config.distillation
    if how is None:
        raise InputError("Name a teacher: the configuration has no distillation.")
    for name, value, known in (
        ("kind", how.kind, KINDS),
        ("features", how.features, FEATURES),
        ("views", how.views, VIEWS),
    ):
        if value not in known:
            raise InputError(f"{name} {value!r} is not one of {', '.join(known)}.")
    if not (0 <= how.weight <= 1 and how.temperature > 0):
        raise InputError("The teacher's weight lies between 0 and 1, and its temperature above 0.")
    if how.views == "cached" and how.features == "attention":
        raise InputError("Attention needs the student's very picture: views same.")
    if how.views == "cached" and how.keep_words:
        raise InputError("Cached views are kept as they are: keep_words is for views same.")
    return how


class Student(nn.Module):
    """A network that also gives its feature maps, and its pooled features in the teacher's number of them."""

    def __init__(self, network: nn.Module, n_teacher: int | None) -> None:
        super().__init__()
        self.network = network
        parts = features_and_head(network)
        self.projection: nn.Module | None = None
        if n_teacher is not None:
            last = next(m for m in parts[1].modules() if isinstance(m, nn.Linear))
            self.projection = nn.Linear(last.in_features, n_teacher)
        object.__setattr__(self, "_parts", parts)  # NB: not as submodules, which would count every weight twice

    def forward(self, x: "Tensor") -> "tuple[Tensor, Tensor, Tensor]":
        """[B, 3, S, S] -> logits [B, K], features [B, C of the teacher, or of the student], maps [B, C, h, w]."""
        features, head = self._parts  # type: ignore[misc]
        maps = features(x)
        z = pooled(maps)
        return head(z), z if self.projection is None else self.projection(z), maps


class DistillationTrainer(Trainer):
    """Training whose loss also listens to a teacher."""

    def __init__(
        self,
        config: TrainingConfig,
        retinas: "FundusDataset",
        network: nn.Module,
        *,
        processes: DistributedContext | None = None,
        teacher: Teacher,
        unlabelled: "NDArray[np.uint8]",
        cache: Path,
    ) -> None:
        self.how = _checked(config)
        self.asks_in_bf16 = config.use_bf16 or self.how.ask_in_bf16
        self.teacher, self.unlabelled = teacher, unlabelled
        super().__init__(config, retinas, network, processes=processes)
        self.graded_words, self.unlabelled_words = self._ask_once(cache)

    def _ask_once(self, cache: Path) -> tuple[CachedTeacher | None, CachedTeacher | None]:
        """The kept words of photographs with and without a label; process 0 asks, and the others read after it."""
        if self.how.views != "cached":
            return None, None

        def ask() -> tuple[CachedTeacher, CachedTeacher]:
            options = {"n_views": self.how.n_views, "cache": cache, "use_bf16": self.asks_in_bf16}
            graded = ask_once(self.teacher, self.retinas.pixels, self.indices, **options)  # type: ignore[arg-type]
            every = np.arange(len(self.unlabelled))
            if not len(every):
                return graded, CachedTeacher(graded.logits[:0], graded.features[:0])
            return graded, ask_once(self.teacher, self.unlabelled, every, **options)  # type: ignore[arg-type]

        if self.processes.is_first:
            ask()
        self.processes.told_by_first(None)
        return ask()

    def learner(self) -> nn.Module:
        """The student, with a layer that brings its pooled features to the teacher's where these are compared."""
        self.student = Student(self.network, self.teacher.n_features if self.how.features == "pooled" else None)
        return self.student.to(self.device)

    def loss(self, shards: list[Shard]) -> "Tensor":
        """The labels' loss and the teacher's, by their weights; of photographs without a label the teacher's alone.

        Nobody knows better what was painted than who painted it: there the label takes the teacher's weight too.
        """
        how, config = self.how, self.config
        side_px = config.side_px if how.views == "cached" else max(config.side_px, self.teacher.side_px)
        grades = self.grades(shards)  # [B]
        is_painted = torch.cat([shard.is_painted for shard in shards])  # [B]
        pictures = self.pictures(shards, side_px=side_px)  # [B, 3, S, S]
        more, chosen = self._unlabelled_pictures(shards, side_px=side_px)  # [U, 3, S, S]
        pictures = torch.cat([pictures, more])  # [B + U, 3, S, S]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=config.use_bf16):
            logits, features, maps = self.learn(normalize(_resized(pictures, config.side_px)).to(self.device))
        logits, own = logits.float(), logits[: len(grades)].float()  # [B + U, K], [B, K]
        total = (1 - how.weight) * self.label_loss(own, grades, config)
        if is_painted.any():
            of_painted = self.label_loss(own[is_painted], grades[is_painted], config)
            total = total + how.weight * is_painted.float().mean() * of_painted
        is_taught = torch.cat([~is_painted, torch.ones(len(more), dtype=torch.bool)])  # [B + U]
        if not is_taught.any():
            return total
        word = self._word(shards, chosen, pictures[is_taught])
        of_teacher = self._teacher_loss(logits[is_taught], word.logits.to(self.device), grades[~is_painted])
        total = total + how.weight * of_teacher
        if how.features == "pooled":
            gap = pooled_loss(features[is_taught].float(), word.features.to(self.device))
            total = total + how.features_weight * gap
        elif how.features == "attention" and word.attention is not None:
            own_attention = attention(maps[is_taught].float())
            total = total + how.features_weight * attention_loss(own_attention, word.attention)
        return total

    def _teacher_loss(self, logits: "Tensor", taught: "Tensor", grades: "Tensor") -> "Tensor":
        how = self.how
        if how.kind == "soft":
            return kd_loss(logits, taught, how.temperature)
        guessed = taught[len(grades) :].argmax(dim=1)  # without a label, the teacher's grade is the target
        return decoupled_loss(
            logits,
            taught,
            torch.cat([grades, guessed]),
            how.temperature,
            target_share=how.target_share,
            others_share=how.others_share,
        )

    def _unlabelled_pictures(self, shards: list[Shard], *, side_px: int) -> "tuple[Tensor, NDArray[np.int64]]":
        """[U, 3, S, S] in [0, 1] and their rows; none where the run has no unlabelled photographs."""
        parts, chosen = [torch.zeros(0, 3, side_px, side_px)], [np.zeros(0, np.int64)]
        for shard in shards if len(self.unlabelled) else []:
            n = round(len(shard.rows) * self.how.unlabelled_share)
            drawn = torch.randint(len(self.unlabelled), (n,), generator=shard.random).numpy()
            if n:
                photos = to_tensor(self.unlabelled[drawn])
                share = self.config.equalised_share
                parts.append(changed(photos, side_px=side_px, equalised_share=share, random=shard.random))
            chosen.append(drawn)
        return torch.cat(parts), np.concatenate(chosen)

    def _word(self, shards: list[Shard], chosen: "NDArray[np.int64]", pictures: "Tensor") -> TeacherOutput:
        if self.graded_words is None or self.unlabelled_words is None:
            return self.teacher.ask(pictures, use_bf16=self.asks_in_bf16)
        first = self.graded_words.look_up(np.concatenate([shard.rows[~shard.is_painted.numpy()] for shard in shards]))
        second = self.unlabelled_words.look_up(chosen)
        return TeacherOutput(torch.cat([first.logits, second.logits]), torch.cat([first.features, second.features]))

    def state(self) -> "dict[str, object]":
        """Also the layer beside the network."""
        return super().state() | {"student": self.student.state_dict()}

    def load_state(self, state: "dict[str, object]") -> None:
        """Take up where ``state()`` was taken."""
        self.student.load_state_dict(state["student"])  # type: ignore[arg-type]
        super().load_state(state)


def _resized(pictures: "Tensor", side_px: int) -> "Tensor":
    if pictures.shape[-1] == side_px:
        return pictures
    return functional.interpolate(pictures, size=(side_px, side_px), mode="bilinear", antialias=True)
