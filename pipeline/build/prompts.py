"""``fgmcaps caption --dry-run``: the prompts of the first clips."""

from rich.console import Console

from fgmcaps.captioning.prompts.prompt import load_prompt
from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.stages.styles import styles_of
from fgmcaps.schemas import facts_of


def print_prompts(build: Build, console: Console, clips: int = 10) -> None:
    """The prompts of the first annotated clips, in every style, as the server would get them."""
    metadata = {t.track_id: t.metadata for t in build.spec.plan.tracks}
    annotations = build.annotation_state().annotations
    if not annotations:
        raise FgmcapsError("nothing is annotated yet; run `fgmcaps annotate` with the same arguments first")
    for clip_id in sorted(annotations)[:clips]:
        entry = annotations[clip_id]
        facts = facts_of(entry.read().labels, metadata[entry.track_id])
        for style in styles_of(build.config):
            prompt = load_prompt(style)
            console.rule(f"{clip_id}, {prompt.version}")
            for message in prompt.messages(facts):
                console.out(f"[{message['role']}]\n{message['content']}")
