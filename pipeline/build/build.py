"""What is to be built: plan, profile, fingerprints, and where the results lie. Runs nothing and imports no Beam."""

from importlib.metadata import version

import soundfile
import soxr

from fgmcaps.annotators import Profile, load_profile
from fgmcaps.common.fingerprints import fingerprint
from fgmcaps.pipeline.build.journal_state import AnnotationState, read_annotations, read_captions
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.build.spec import BuildSpec
from fgmcaps.pipeline.build.stage_file import StageFile
from fgmcaps.pipeline.dataset.manifest import is_complete, read_manifest
from fgmcaps.pipeline.stages.journal import CaptionEntry
from fgmcaps.pipeline.stages.styles import engine_identity
from fgmcaps.schemas import ToolInfo


class Build:
    """A build of one plan with one configuration into one folder.

    ``annotations`` and ``captions`` are the folders of its journals. Raises ProfileError for settings that the profile
    does not take.
    """

    def __init__(self, spec: BuildSpec) -> None:
        self.spec, self.config, self.folder = spec, spec.config, OutputFolder(spec.out)
        self.profile: Profile = load_profile(self.config.profile)
        if self.config.profile_overrides:
            self.profile = self.profile.with_overrides(self.config.profile_overrides)
        decoder = decoder_version()
        self.labels_fingerprint = self.config.annotate_fingerprint(self.profile.fingerprint, decoder)
        self.estimates_fingerprint = self.config.annotate_fingerprint(self.profile.estimates_fingerprint, decoder)
        self.captions_fingerprint = self.config.caption_fingerprint(engine_identity(self.config))
        self.annotations = self.folder.annotations(self.labels_fingerprint)
        self.captions = self.folder.captions(self.captions_fingerprint)
        self.stage_file = StageFile(self.folder.work)

    @property
    def fingerprint(self) -> str:
        """What the dataset is made from and with; equal fingerprints give equal shards."""
        return fingerprint(
            labels=self.labels_fingerprint,
            captions=self.captions_fingerprint,
            corpus=self.spec.plan.corpus,
            config=self.config.public(),
            tools=[(t.name, t.version) for t in self.tools],
        )

    @property
    def tools(self) -> tuple[ToolInfo, ...]:
        """Tools that touch the labels."""
        return self.profile.tools

    def is_done(self) -> bool:
        """True when the folder holds exactly this dataset already."""
        out = self.spec.out
        published = is_complete(out) and read_manifest(out).fingerprint == self.fingerprint
        return published and not self.folder.is_outdated()

    def annotation_state(self) -> AnnotationState:
        """What the annotation journal holds of this plan."""
        return read_annotations(self.annotations, self.spec.plan.tracks)

    def caption_state(self) -> dict[tuple[str, str], CaptionEntry]:
        """What the caption journal holds, by clip id and key of the facts."""
        return read_captions(self.captions)


def decoder_version() -> str:
    """What the samples depend on: the decoders (PyAV's wheel carries its FFmpeg) and the resampler."""
    return f"libsndfile {soundfile.__libsndfile_version__}, av {version('av')}, soxr {soxr.__version__}"
