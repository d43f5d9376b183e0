"""What the labelled set writes into good captions to make bad ones; the two halves share no entry."""

from collections.abc import Callable

EXTRA_GENRES = ("zydeco", "klezmer", "grunge", "bluegrass", "gabber")
EXTRA_MOODS = ("sarcastic", "heroic", "wistful", "anxious", "serene")

_DEV_JUDGEMENTS = (
    "beautiful haunting catchy gorgeous mesmerizing stunning powerful lovely delightful soothing vibrant lush "
    "enchanting groovy memorable emotional captivating majestic tender soulful magical hypnotic elegant intense"
)
_HELDOUT_JUDGEMENTS = (
    "breathtaking irresistible exquisite poignant charming dreamlike thrilling sublime infectious ethereal "
    "brooding sweeping graceful rousing evocative luminous masterful unforgettable heartfelt bittersweet stirring "
    "radiant punchy shimmering"
)
JUDGEMENTS = {"dev": _DEV_JUDGEMENTS.split(), "heldout": _HELDOUT_JUDGEMENTS.split()}
TAILS = {
    "dev": (
        "creating a warm and inviting atmosphere",
        "perfect for a road trip",
        "evoking a sense of longing",
        "which makes you want to dance",
        "full of energy",
        "with a touching sense of nostalgia",
        "a real masterpiece",
        "giving it an emotional depth",
        "that sounds amazing",
    ),
    "heldout": (
        "conjuring images of a stormy sea",
        "ideal for late-night listening",
        "that tugs at the heartstrings",
        "bursting with joy",
        "lending it a cinematic quality",
        "which leaves a lasting impression",
        "an absolute gem",
        "with an air of quiet grandeur",
        "that will get stuck in your head",
    ),
}
ADDITIONS = {
    "dev": (
        "with an acoustic guitar",
        "with female vocals",
        "by Miles Davis",
        "from 1974",
        "recorded live in Berlin",
        "with a synth bass and hi-hats",
        "featuring a violin solo",
        "about a lost love",
        "sung in French",
        "lasting three minutes",
        "with a tempo change",
        "played by a string quartet",
        "in the dorian mode",
        "modulating to E major",
        "with a 16-bar intro",
        "with handclaps on the backbeat",
        "from the album Blue",
        "with distorted guitars",
        "from the 1990s",
        "with heavy reverb",
        "without percussion",
        "with a rap verse",
        "with a pentatonic melody",
        "with a drum fill",
        "with syncopated rhythms",
        "from Norway",
    ),
    "heldout": (
        "with a Hammond organ",
        "with a children's choir",
        "by Nina Simone",
        "from the year 2003",
        "taped in Nashville",
        "with tremolo strings",
        "featuring a trumpet",
        "telling of a sailor's return",
        "with lyrics in Portuguese",
        "running for four minutes",
        "with an accelerando",
        "played on a grand piano",
        "in the lydian mode",
        "with a key change to B major",
        "with an 8-bar bridge",
        "with finger snaps",
        "from a video game",
        "with a slap bass",
        "from the sixties",
        "with a lo-fi hiss",
        "with no drums",
        "with whispered spoken word",
        "with a whistled tune on top",
        "with rolling tom fills",
        "with a swung ride pattern",
        "with birdsong",
    ),
}
Breakage = Callable[[str], str]
BREAKAGES: dict[str, tuple[Breakage, ...]] = {
    "dev": (
        lambda c: f"Here is a caption: {c}",
        lambda c: f'"{c}"',
        lambda c: f"- {c}",
        lambda c: c.replace(" ", "\n", 1),
        lambda c: f"{c} {c} {c}",
        lambda c: c + " Note that the key was estimated.",
        lambda c: "I'm sorry, I can't help with that.",
        lambda c: c.rstrip(".") + ", genre: [genre].",
        lambda c: "Ceci est un morceau de musique dont je ne connais pas le tempo.",
        lambda c: f'{{"caption": "{c}"}}',
        lambda c: c.replace("a", "а"),
        lambda c: f"**Caption** {c}",
        lambda c: c[: int(len(c) * 0.6)],
        lambda c: "",
        lambda c: c.rstrip(".") + "...",
        lambda c: c + "\u200b",
        lambda c: c.upper(),
    ),
    "heldout": (
        lambda c: f"Sure, here you go! {c}",
        lambda c: f"“{c}”",
        lambda c: f"1) {c}",
        lambda c: c + "\n",
        lambda c: " ".join([c] * 12),
        lambda c: c + " Would you like me to change anything?",
        lambda c: "Unfortunately, I am unable to listen to audio files.",
        lambda c: c.rstrip(".") + ", with mood N/A.",
        lambda c: "Dies ist ein Musikstück in einer Tonart, die ich nicht kenne.",
        lambda c: f"```\n{c}\n```",
        lambda c: c.replace("o", "о"),
        lambda c: f"# {c}",
        lambda c: c[: int(len(c) * 0.75)],
        lambda c: "Music.",
        lambda c: c.rstrip(".") + " and the",
        lambda c: c.replace(" ", "\u00a0", 2),
        lambda c: f"<caption>{c}</caption>",
        lambda c: f"Output: {c}",
    ),
}
