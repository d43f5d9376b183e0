"""One name for each Creative Commons licence, and no guess."""

import pytest

from fgmcaps.pipeline.licences.names import licence_name
from fgmcaps.pipeline.licences.policy import judge


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-sa/2.0/", "CC-BY-NC-SA-2.0"),
        ("https://creativecommons.org/licenses/by/3.0/us/", "CC-BY-3.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("Attribution-Noncommercial-Share Alike 3.0 United States", "CC-BY-NC-SA-3.0"),
        ("Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International", "CC-BY-NC-ND-3.0"),
        ("Attribution 4.0 International", "CC-BY-4.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("Attribution-ShareAlike", "Attribution-ShareAlike"),
        ("FMA-Limited: Download Only", "FMA-Limited: Download Only"),
        ("Not attribution 3.0", "Not attribution 3.0"),
        ("http://creativecommons.org/licenses/sampling+/1.0/", "http://creativecommons.org/licenses/sampling+/1.0/"),
    ],
)
def test_licences_get_one_name_and_are_never_guessed(text, name):
    assert licence_name(text) == name


@pytest.mark.parametrize("name", ["CC-BY-NC-SA-3.0", "CC-BY-4.0", "CC0-1.0"])
def test_the_publication_policy_knows_those_names(name):
    assert judge(name).kind != "unknown"
